"""When connections have their turn."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from slowpath.balancing.member import Member
from slowpath.request import Request
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Phase
from slowpath.splicing.session import Session
from slowpath.splicing.splicer import _TICK
from slowpath.wire.endpoint import Endpoint
from tests.simulation.world import World


def test_a_step_that_leaves_something_due_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []

    def idle(context: Context, session: Session, now: float) -> None:
        turns.append(now)

    monkeypatch.setitem(_TICK, Phase.READING, idle)
    world = World()
    client = world.client()
    client.write(b"GET / ")
    world.clock.run(0.1)
    assert 1 < len(turns) < 10
    client.write(b"HTTP/1.1\r\nHost: a\r\n\r\n")
    world.clock.run(0.1)
    assert len(world.server_side) == 1


class Broken:
    """A balancer with a defect."""

    regards_clients = False

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        raise KeyError

    def turns(self, count: int) -> list[Member]:
        raise KeyError

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        raise KeyError


def test_a_connection_that_a_defect_keeps_from_its_first_step_does_not_stay() -> None:
    world = World()
    world.service.pools["web"].balancer = Broken()
    world.client().write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises(KeyError):
        world.clock.run(1.0)
    assert not world.splicer.connections()
    assert world.splicer.connection_count == 0


def test_a_connection_that_a_defect_keeps_from_its_turn_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: Context, session: Session, now: float) -> None:
        raise KeyError(now)

    monkeypatch.setitem(_TICK, Phase.READING, fail)
    world = World()
    world.client().write(b"GET / ")
    with pytest.raises(KeyError):
        world.clock.run(1.0)
    assert not world.splicer.connections()
    assert world.splicer.connection_count == 0
