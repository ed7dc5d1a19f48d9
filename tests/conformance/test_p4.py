"""The P4 program, as the model of the switch runs it, held to the reference byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fastpath.pipeline.digest import digest
from fastpath.verdict import Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.checks import give
from tests.conformance.p4_target import Chip, P4Target, Placement, compiled
from tests.conformance.packets import SYN, Tcp
from tests.conformance.suite import RandomScenarios, SwitchVectors
from tests.conformance.target import CLIENT_PORT
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


@pytest.fixture(
    scope="module",
    params=[
        (Chip.TOFINO, Placement.CONNECTIONS),
        (Chip.TOFINO, Placement.OVERRIDES),
        (Chip.TOFINO2, Placement.CONNECTIONS),
    ],
    ids=["connections", "overrides", "tofino2"],
)
def target(request: pytest.FixtureRequest) -> Iterator[P4Target]:
    chip, placement = request.param
    target = P4Target(compiled(chip), placement, chip)
    yield target
    target.close()


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
def test_a_packet_that_is_sent_marks_its_record(target: P4Target, stimulus: Arrival, client: Endpoint) -> None:
    target.program(_RULES)
    target.seen()
    assert isinstance(give(target, stimulus), Sent)
    group = target.group("vips", VIP) if stimulus.port == CLIENT_PORT else target.group("servers", SERVER)
    assert target.seen() == {digest(client, group, _SEEN_LOG2)}


@pytest.mark.parametrize(
    "packet",
    [replace(UP, ttl=1), replace(UP, flags=SYN), replace(UP, source=TO_NOWHERE.flow.client)],
    ids=["dropped", "punted", "without a route"],
)
def test_a_packet_that_is_not_sent_marks_nothing(target: P4Target, packet: Tcp) -> None:
    target.program(_RULES)
    target.seen()
    assert not isinstance(give(target, up(packet)), Sent)
    assert target.seen() == set()
