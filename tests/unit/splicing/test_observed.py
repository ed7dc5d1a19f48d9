"""What an observer hears of connections to servers, and what passive checks make of it, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from slowpath.balancing.member import Member
from slowpath.health.health import Health, PoolHealth
from slowpath.health.outliers import OutlierPolicy
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, get
from tests.simulation.world import SERVERS, World

GET = b"GET /thing HTTP/1.1\r\nHost: www.example.com\r\n\r\n"


class Recorder:
    """Writes down what it hears, by server, and how long the connections lasted that have ended."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, object]] = []
        self.lasted: list[float] = []

    def connecting(self, member: Member, now: float) -> None:
        self.heard.append(("connecting", member.id, None))

    def connected(self, member: Member, seconds: float, now: float) -> None:
        assert 0 < seconds < 0.1
        self.heard.append(("connected", member.id, None))

    def failed(self, member: Member, reason: str, now: float) -> None:
        self.heard.append(("failed", member.id, reason))

    def ended(self, member: Member, seconds: float, now: float, *, reset: bool) -> None:
        self.lasted.append(seconds)
        self.heard.append(("ended", member.id, reset))


def answering(peer: Peer) -> None:
    """A server that answers and closes."""

    def on_data() -> None:
        if len(peer.received) >= len(GET):
            peer.write(b"HTTP/1.0 200 OK\r\n\r\n")
            peer.shutdown()
            peer.on_data = lambda: None

    peer.on_data = on_data


def resetting(peer: Peer) -> None:
    """A server that accepts, and resets whoever says anything."""
    peer.on_data = peer.abort


def connection(world: World, then: Callable[[Peer], None] = Peer.shutdown, port: int = 40000) -> Peer:
    """A client that asks for something, and does `then` when it has got something or half a second later."""
    client = world.client(port)
    client.write(GET)
    world.clock.run(0.5, lambda: bool(client.received) or client.was_reset)
    then(client)
    world.clock.run(0.2)
    return client


@pytest.mark.parametrize("capacity", [1000, 0], ids=["spliced", "relayed"])
@pytest.mark.parametrize(
    ("serve", "then", "reset"),
    [(answering, Peer.shutdown, False), (resetting, Peer.shutdown, True), (lambda peer: None, Peer.abort, False)],
    ids=["closed", "reset-by-server", "reset-by-client"],
)
def test_a_connection_and_its_end(
    capacity: int, serve: Callable[[Peer], None], then: Callable[[Peer], None], reset: bool
) -> None:
    recorder = Recorder()
    world = World(capacity=capacity, observer=recorder)
    world.serve = serve
    connection(world, then)
    assert recorder.heard == [("connecting", 0, None), ("connected", 0, None), ("ended", 0, reset)]
    assert 0 < recorder.lasted[0] < 1


def test_servers_of_one_client_after_each_other() -> None:
    recorder = Recorder()
    world = Routed(observer=recorder)
    client = world.client()
    client.write(get("/a"))
    world.clock.run(20.0)
    world.serve = resetting
    client.write(get("/b"))
    world.clock.run(1.0)
    assert client.was_reset
    assert [each for each in recorder.heard if each[0] == "ended"] == [("ended", 0, False), ("ended", 1, True)]
    # Each since it was connected to, however long the client has been here.
    assert 19 < recorder.lasted[0] < 22 and 0 < recorder.lasted[1] < 1


def test_a_server_that_refuses_and_the_next() -> None:
    recorder = Recorder()
    world = World(observer=recorder)
    world.serve = answering
    world.refusing = {SERVERS[0]}
    connection(world)
    assert recorder.heard[:3] == [("connecting", 0, None), ("failed", 0, "refused"), ("connecting", 1, None)]


def test_a_server_that_is_silent() -> None:
    recorder = Recorder()
    world = World(observer=recorder)
    world.dead = {SERVERS[0]}
    client = world.client()
    client.write(GET)
    world.clock.run(1.5)
    assert recorder.heard[:2] == [("connecting", 0, None), ("failed", 0, "timeout")]


@pytest.mark.parametrize("fault", ["refuses", "resets"])
def test_a_server_that_fails_is_ejected_tried_and_taken_back(fault: str) -> None:
    health = Health(lambda server: None, Random(0))
    world = World(observer=health)
    policy = OutlierPolicy(limits={"connect": 2, "reset": 2}, base=10.0)
    health.look_after([PoolHealth("web", world.members, policy)])
    bad = SERVERS[0]
    ill = True

    def serve(peer: Peer) -> None:
        (resetting if ill and fault == "resets" and peer.local == bad else answering)(peer)

    def requests(first_port: int) -> int:
        """Ten of them, one after the other; returns how many were reset."""
        return sum(connection(world, port=first_port + number).was_reset for number in range(10))

    world.serve = serve
    world.refusing = {bad} if fault == "refuses" else set()
    assert requests(40000) == (2 if fault == "resets" else 0)
    assert world.members[0].ejected
    assert requests(41000) == 0

    # Time is over, and the one connection on trial fails: twice as long.
    world.clock.run(10.0)
    health.advance(world.clock.now)
    assert not world.members[0].ejected
    assert requests(42000) == (1 if fault == "resets" else 0)
    assert world.members[0].ejected

    ill = False
    world.refusing = set()
    world.clock.run(20.0)
    health.advance(world.clock.now)
    assert requests(43000) == 0
    health.advance(world.clock.now)
    assert not world.members[0].ejected
    assert health.next_deadline is None
