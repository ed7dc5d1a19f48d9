"""The v1model program, on the model of bmv2 and on bmv2 where it is installed, held to the reference byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from tests.conformance.bmv2_switch import Bmv2Switch
from tests.conformance.p4_target import P4Target, Placement, Switch
from tests.conformance.suite import RandomScenarios, SwitchVectors
from tests.conformance.v1model_switch import V1ModelSwitch, compiled
from tests.targets import V1MODEL_SWITCH

SWITCHES: dict[str, Callable[[], Switch]] = {"v1model": lambda: V1ModelSwitch(compiled())}
if V1MODEL_SWITCH == "bmv2":
    SWITCHES["bmv2"] = Bmv2Switch


@pytest.fixture(
    scope="module", params=product(SWITCHES, Placement), ids=lambda param: f"{param[0]}-{param[1].name.lower()}"
)
def target(request: pytest.FixtureRequest) -> Iterator[P4Target]:
    switch, placement = request.param
    target = P4Target(SWITCHES[switch](), placement)
    yield target
    target.close()


class TestV1Model(SwitchVectors, RandomScenarios):
    """The program as it is compiled, its tables made small."""

    examples = 100
