"""The v1model program, on bmv2 or the model of it (tests/targets.py), held to the reference byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.bmv2_switch import Bmv2Switch
from tests.conformance.p4_target import P4Target, Placement, Switch
from tests.conformance.suite import RandomScenarios, SwitchVectors
from tests.conformance.v1model_switch import V1ModelSwitch, compiled
from tests.targets import V1MODEL_SWITCH


def _switch() -> Switch:
    return Bmv2Switch() if V1MODEL_SWITCH == "bmv2" else V1ModelSwitch(compiled())


@pytest.fixture(scope="module", params=list(Placement), ids=lambda placement: placement.name.lower())
def target(request: pytest.FixtureRequest) -> Iterator[P4Target]:
    target = P4Target(_switch(), request.param)
    yield target
    target.close()


class TestV1Model(SwitchVectors, RandomScenarios):
    """The program as it is compiled, its tables made small."""

    examples = 100
