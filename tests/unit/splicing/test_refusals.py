"""What the balancer answers by itself, and which server gets a connection when others fail."""

from __future__ import annotations

import pytest

from slowpath.splicing.service import Timeouts
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability, Peer
from tests.simulation.world import SERVERS, World

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def greet(peer: Peer) -> None:
    def on_data() -> None:
        if bytes(peer.received).endswith(b"\r\n\r\n"):
            peer.write(b"hello")

    peer.on_data = on_data


def exchange(world: World, request: bytes, seconds: float = 30.0) -> Peer:
    client = world.client()
    if request:
        client.write(request)
    world.clock.run(seconds, lambda: client.got_fin or client.was_reset)
    return client


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000, 431),
        (b"GET / HTTP/1.1\r\nHo", 408),
    ],
    ids=["malformed", "tls", "oversized", "slow"],
)
def test_a_bad_request_gets_its_answer_and_a_clean_close(request_bytes: bytes, status: int) -> None:
    for impairment in (Impairment(), Impairment(loss=0.1, duplication=0.1, reordering=0.1)):
        world = World(5, impairment)
        client = exchange(world, request_bytes, 120.0)
        assert client.received.startswith(b"HTTP/1.1 %d " % status)
        assert client.got_fin and not client.was_reset
        client.shutdown()
        world.clock.run(30.0)
        assert client.fin_acked
        assert not world.splicer.connections()
        assert world.splicer.statistics.responses == {("web", status): 1}


def test_a_client_that_closes_at_the_last_moment_is_waited_for_as_any_other() -> None:
    world = World(timeouts=Timeouts(answer=5.0))
    client = world.client()
    client.write(b"nonsense\r\n\r\n")
    world.clock.run(5.0)
    assert client.got_fin
    client.shutdown()
    world.clock.run(0.5)
    assert client.fin_acked and not client.was_reset
    world.clock.run(2.0)
    assert not world.splicer.connections()


def test_half_a_head_and_a_fin_is_a_bad_request() -> None:
    world = World()
    client = world.client()
    client.write(b"GET / HT")
    client.shutdown()
    world.clock.run(5.0, lambda: client.got_fin)
    assert client.received.startswith(b"HTTP/1.1 400 ")


def test_a_fin_without_a_request_is_a_close() -> None:
    world = World()
    client = world.client()
    client.shutdown()
    world.clock.run(5.0)
    assert (client.finished, bytes(client.received), len(world.splicer.connections())) == (True, b"", 0)


def test_a_refusing_server_is_passed_over_unnoticed() -> None:
    world = World()
    world.serve = greet
    world.refusing = {SERVERS[0]}
    for port in range(41000, 41006):
        client = world.client(port)
        client.write(GET)
        world.clock.run(0.1)
        assert client.received == b"hello"
    assert world.splicer.statistics.connect_failures == {("web", "refused"): 3}


def test_a_silent_server_costs_at_most_the_connect_timeout() -> None:
    world = World(timeouts=Timeouts(connect=1.0))
    world.serve = greet
    world.dead = {SERVERS[0]}
    started = world.clock.now
    client = world.client()
    client.write(GET)
    world.clock.run(10.0, lambda: bool(client.received))
    assert client.received == b"hello"
    assert world.clock.now - started < 1.0 + 0.05
    assert world.splicer.statistics.connect_failures == {("web", "timeout"): 1}


@pytest.mark.parametrize(("kind", "status"), [("refusing", 502), ("dead", 504), ("down", 503)])
def test_no_server_at_all_is_an_answer(kind: str, status: int) -> None:
    world = World()
    if kind == "down":
        for member in world.members:
            member.up = False
    else:
        setattr(world, kind, set(SERVERS))
    client = exchange(world, GET)
    assert client.received.startswith(b"HTTP/1.1 %d " % status)
    client.shutdown()
    world.clock.run(10.0)
    assert not world.splicer.connections()
    assert all(member.connections == 0 for member in world.members)


@pytest.mark.parametrize("ability", [Ability(timestamps=False), Ability(window_scale=None), Ability(window_scale=3)])
def test_a_server_that_cannot_keep_the_promise_is_not_used(ability: Ability) -> None:
    world = World()
    world.server_ability = ability
    client = exchange(world, GET)
    assert client.received.startswith(b"HTTP/1.1 502 ")
    assert world.splicer.statistics.connect_failures == {("web", "options"): 2}
    assert all(server.was_reset for server in world.server_side.values())


def test_a_client_that_goes_away_while_connecting_leaves_nothing() -> None:
    world = World()
    world.dead = set(SERVERS)
    client = world.client()
    client.write(GET)
    world.clock.run(0.1)
    assert len(world.splicer.connections()) == 1
    client.abort()
    world.clock.run(0.1)
    assert not world.splicer.connections()
    assert all(member.connections == 0 for member in world.members)


def test_a_stray_segment_is_reset() -> None:
    world = World()
    client = world.client()
    world.clock.run(0.1)
    client.local  # noqa: B018
    stray = Peer(world.clock, lambda packet: world.inject_raw(0, packet), client.local, 5, Ability())
    stray.remote = client.remote
    client._nxt = 12345  # an acknowledgment that no cookie of ours explains
    stray._rcv_nxt, stray.established = 999, True
    world.clients[client.local] = stray
    stray.write(b"data")
    world.clock.run(0.1)
    assert world.splicer.statistics.drops["no_connection"] == 1
    assert stray.was_reset or world.fastpath.counters().punts
