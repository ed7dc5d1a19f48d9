"""Connections through the slow path and the in-memory fast path, over a network that loses, repeats and reorders."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from fastpath.records import Flow
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Timeouts
from slowpath.splicing.sources import Snat
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, Segment
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability, Peer
from tests.simulation.world import COOKIES, VIP, World

GET = b"GET /thing HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)


def respond(size: int, *, close: bool = False, request: int = len(GET)) -> Callable[[Peer], None]:
    """A server that answers `request` bytes with `size` bytes."""

    def serve(peer: Peer) -> None:
        answered = False

        def on_data() -> None:
            nonlocal answered
            if len(peer.received) >= request and not answered:
                answered = True
                peer.write(Random(size).randbytes(size))
                if close:
                    peer.shutdown()
            if peer.got_fin and not close:
                peer.shutdown()

        peer.on_data = on_data

    return serve


def has(peer: Peer, size: int) -> Callable[[], bool]:
    return lambda: len(peer.received) >= size


def fetch(world: World, client: Peer, size: int, seconds: float = 600.0) -> None:
    """Let the client send GET, get `size` bytes, and close."""
    client.write(GET)
    world.clock.run(seconds, lambda: len(client.received) >= size or client.was_reset)
    assert bytes(client.received) == Random(size).randbytes(size)
    client.shutdown()
    world.clock.run(60.0)


@pytest.mark.parametrize(
    "ability",
    [
        Ability(),
        Ability(timestamps=False),
        Ability(window_scale=None),
        Ability(sack=False),
        Ability(536, None, False, False),
    ],
    ids=["all", "no-timestamps", "no-scaling", "no-sack", "none"],
)
def test_a_response_arrives_whole_and_nothing_stays(ability: Ability) -> None:
    world = World()
    world.serve = respond(100_000)
    client = world.client(ability=ability)
    fetch(world, client, 100_000)
    [server] = world.server_side.values()
    assert server.received == GET
    assert client.finished and server.finished
    assert (server.peer_mss, server.scaling) == (min(ability.mss, 1460), ability.window_scale is not None)
    assert (world.records, len(world.splicer.connections())) == (0, 0)
    assert all(member.connections == 0 for member in world.members)


def test_the_slow_path_sees_the_same_packets_whatever_the_size() -> None:
    counts = set()
    for size in (1_000, 100_000, 1_000_000):
        world = World()
        world.serve = respond(size)
        fetch(world, world.client(), size)
        statistics = world.splicer.statistics
        counts.add((statistics.packets_in, statistics.packets_out))
    assert counts == {(4, 3)}  # SYN, ACK, request, SYN-ACK; SYN-ACK, SYN, request


@pytest.mark.parametrize("close", [False, True], ids=["client-closes-first", "server-closes-first"])
@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_bytes_survive_a_rough_network(close: bool, snat: bool, profile: Profile, seed: int) -> None:
    for round_ in range(25):
        sources = Snat([bytes((10, 2, 0, 16))]) if snat else None
        world = World(seed + round_, ROUGH, sources=sources, profile=profile)
        world.serve = respond(30_000, close=close)
        client = world.client(iss=2**32 - 200 if round_ % 2 else None)
        fetch(world, client, 30_000)
        assert client.finished, f"seed {seed + round_}"
        assert (world.records, len(world.splicer.connections())) == (0, 0), f"seed {seed + round_}"


@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_an_upload_survives_a_rough_network(profile: Profile, seed: int) -> None:
    body = Random(7).randbytes(60_000)
    head = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
    for round_ in range(15):
        world = World(seed + round_, ROUGH, profile=profile)
        world.serve = respond(500, request=len(head) + len(body))
        client = world.client()
        client.write(head + body)
        world.clock.run(600.0, has(client, 500))
        [server] = world.server_side.values()
        assert server.received == head + body, f"seed {seed + round_}"


def test_a_head_in_pieces_is_acknowledged_and_delivered(seed: int) -> None:
    """A client that waits for an ACK before it sends the rest gets one; the pieces reach the server once."""
    for impairment in (Impairment(), ROUGH):
        for round_ in range(10):
            world = World(seed + round_, impairment)
            head = b"GET /thing HTTP/1.1\r\nHost: www.example.com\r\nCookie: " + b"x" * 9000 + b"\r\n\r\n"
            world.serve = respond(2_000, request=len(head))
            client = world.client()
            for start in range(0, len(head), 700):
                client.write(head[start : start + 700])
                world.clock.run(0.3)
            world.clock.run(120.0, has(client, 2000))
            [server] = world.server_side.values()
            assert server.received == head, f"seed {seed + round_}"
            assert client.received == Random(2000).randbytes(2000), f"seed {seed + round_}"


def test_two_vips_are_told_apart_on_one_server() -> None:
    world = World()
    world.serve = respond(1_000)
    clients = [world.client(40000 + index) for index in range(20)]
    for client in clients:
        client.write(GET)
    world.clock.run(5.0)
    assert all(client.received == Random(1000).randbytes(1000) for client in clients)
    assert {member.connections for member in world.members} == {10}


def test_a_full_fast_path_leaves_forwarding_to_the_slow_path(seed: int) -> None:
    for impairment in (Impairment(), ROUGH):
        world = World(seed, impairment, capacity=0)
        world.serve = respond(50_000)
        client = world.client()
        fetch(world, client, 50_000)
        assert client.finished
        assert (world.records, len(world.splicer.connections())) == (0, 0)


def test_a_silent_connection_that_is_forwarded_here_is_forgotten() -> None:
    world = World(capacity=0, timeouts=Timeouts(idle=30.0))
    world.serve = respond(1_000)
    client = world.client()
    client.write(GET)
    world.clock.run(20.0)
    client.write(b"x")
    world.clock.run(20.0)
    assert len(world.splicer.connections()) == 1
    world.clock.run(20.0)
    assert not world.splicer.connections()
    assert all(member.connections == 0 for member in world.members)


def test_a_reused_port_starts_afresh() -> None:
    world = World()
    world.serve = respond(1_000, close=True)
    for _ in range(5):
        client = world.client(50000)
        client.write(GET)
        world.clock.run(1.0, has(client, 1000))
        client.shutdown()
        world.clock.run(0.5)
        assert client.received == Random(1000).randbytes(1000)
    assert world.splicer.statistics.requests["web", "web"] == 5


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_ends_the_splice(who: str) -> None:
    world = World()
    world.serve = respond(1_000)
    client = world.client()
    client.write(GET)
    world.clock.run(1.0)
    [server] = world.server_side.values()
    (client if who == "client" else server).abort()
    world.clock.run(0.5)
    assert client.was_reset and server.was_reset
    world.clock.run(5.0)
    assert (world.records, len(world.splicer.connections())) == (0, 0)


def test_the_vip_is_the_only_thing_the_client_sees() -> None:
    world = World()
    world.serve = respond(1_000)
    client = world.client()
    client.write(GET)
    world.clock.run(1.0)
    assert client.remote == VIP
    [(server, seen)] = world.server_side
    assert (server in {member.endpoint for member in world.members}, seen) == (True, client.local)


def test_a_reused_port_starts_afresh_where_the_fast_path_answers_syns() -> None:
    """The slow path sees no SYN then: the new connection's first data is what tells."""
    world = World()
    old = world.client(50001)
    old.write(b"GET / HT")
    world.clock.run(0.01)
    [session] = world.splicer.connections()
    del world.clients[old.local]  # it crashed
    isn = (old.iss + 5000) % 2**32
    answered = cookie.make(COOKIES, Flow(old.local, VIP), isn, Agreed(mss=1460))
    first = Segment(old.local, VIP, isn + 1, (answered + 1) % 2**32, ACK, 1000, Options(), GET)
    forged = Segment(old.local, VIP, isn + 1, (answered + 2) % 2**32, ACK, 1000, Options(), GET)
    world.inject_raw(0, tcp.build(forged))
    assert list(world.splicer.connections()) == [session]
    world.inject_raw(0, tcp.build(first))
    [fresh] = world.splicer.connections()
    assert fresh is not session and session.phase is Phase.GONE
    world.clock.run(0.01)
    assert [server.received for server in world.server_side.values()] == [GET]
