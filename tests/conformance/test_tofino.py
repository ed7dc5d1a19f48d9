"""The P4 program, as the model of the switch runs it, held to the reference byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from fastpath.pipeline.digest import digest
from fastpath.verdict import Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.checks import give
from tests.conformance.p4_target import P4Target, Placement
from tests.conformance.packets import SYN, Tcp
from tests.conformance.suite import RandomScenarios, SwitchVectors
from tests.conformance.target import CLIENT_PORT
from tests.conformance.tofino_switch import Chip, TofinoSwitch, compiled
from tests.conformance.vectors.differences import on_switch
from tests.conformance.vectors.model import (
    CLIENT,
    DOWN,
    FAR_CLIENT,
    SERVER,
    SNAT,
    SNATTED,
    TO_NOWHERE,
    UP,
    VIP,
    Arrival,
    down,
    up,
)
from tests.conformance.vectors.translation import VECTORS

_SEEN_LOG2 = 20
"""As in p4_tofino/sizes.p4."""
_RULES = on_switch(VECTORS[0]).rules


@dataclass(frozen=True, slots=True)
class Setting:
    """A switch, and the target that it is."""

    switch: TofinoSwitch
    target: P4Target


@pytest.fixture(
    scope="module",
    params=[
        (Chip.TOFINO, Placement.CONNECTIONS),
        (Chip.TOFINO, Placement.OVERRIDES),
        (Chip.TOFINO2, Placement.CONNECTIONS),
    ],
    ids=["connections", "overrides", "tofino2"],
)
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    chip, placement = request.param
    switch = TofinoSwitch(compiled(chip), chip)
    target = P4Target(switch, placement)
    yield Setting(switch, target)
    target.close()


@pytest.fixture(scope="module")
def target(setting: Setting) -> P4Target:
    return setting.target


class TestP4(SwitchVectors, RandomScenarios):
    """The program as it is compiled, its tables made small."""

    examples = 100


@pytest.mark.parametrize(
    ("stimulus", "client"),
    [
        (up(), CLIENT),
        (down(), CLIENT),
        (up(replace(UP, source=SNATTED.flow.client)), SNATTED.flow.client),
        (down(replace(DOWN, destination=SNAT)), SNATTED.flow.client),
        (up(replace(UP, source=FAR_CLIENT)), FAR_CLIENT),
    ],
    ids=["to server", "to client", "SNAT to server", "SNAT to client", "from afar"],
)
def test_a_packet_that_is_sent_marks_its_record(setting: Setting, stimulus: Arrival, client: Endpoint) -> None:
    setting.target.program(_RULES)
    setting.switch.seen()
    assert isinstance(give(setting.target, stimulus), Sent)
    table, endpoint = ("vips", VIP) if stimulus.port == CLIENT_PORT else ("servers", SERVER)
    group = setting.switch.group(table, endpoint)
    assert setting.switch.seen() == {digest(client, group, _SEEN_LOG2)}


@pytest.mark.parametrize(
    "packet",
    [replace(UP, ttl=1), replace(UP, flags=SYN), replace(UP, source=TO_NOWHERE.flow.client)],
    ids=["dropped", "punted", "without a route"],
)
def test_a_packet_that_is_not_sent_marks_nothing(setting: Setting, packet: Tcp) -> None:
    setting.target.program(_RULES)
    setting.switch.seen()
    assert not isinstance(give(setting.target, up(packet)), Sent)
    assert setting.switch.seen() == set()
