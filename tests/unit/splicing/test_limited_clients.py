"""Clients that are denied, or limited; each place is given back however a connection ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastpath.access import Access, Prefix
from fastpath.records import Pivot
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import ListenerLimits
from slowpath.limiting.rate import Rate, RateLimit
from slowpath.limiting.resets import RESETS_PER_SECOND
from slowpath.limiting.slots import Slots, Taken
from slowpath.routing.matchers import Prefix as PathPrefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Timeouts
from slowpath.splicing.session import Session
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability, Peer
from tests.simulation.requests import Routed, converse, get
from tests.simulation.world import SERVERS, VIP, World

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OTHER = 3
"""The last byte of another client's address."""


def greet(peer: Peer) -> None:
    def on_data() -> None:
        if bytes(peer.received).endswith(b"\r\n\r\n"):
            peer.write(b"hello")
        if peer.got_fin:
            peer.shutdown()

    peer.on_data = on_data


def greeting() -> World:
    world = World()
    world.serve = greet
    return world


def ask(world: World, port: int, request: bytes = GET, host: int = 2, seconds: float = 0.1) -> Peer:
    client = world.client(port, host=host)
    client.write(request)
    world.clock.run(seconds)
    return client


def with_slots(world: World, limit: int) -> Taken:
    taken = Taken()
    world.service.limits = ListenerLimits(connections=Slots(limit, ClientPrefix(), taken))
    return taken


# Access


def test_a_denied_client_gets_nothing_at_all() -> None:
    world = greeting()
    world.service.access = Access(deny=(Prefix(bytes((10, 1, 0, 2)), 32),))
    denied, served = ask(world, 40000), ask(world, 40000, host=OTHER)
    assert not denied.established and not denied.was_reset
    assert served.received == b"hello"
    assert world.splicer.statistics.drops["denied"] >= 1
    assert len(world.splicer.connections()) == 1


def test_a_client_that_is_denied_half_way_keeps_what_is_spliced() -> None:
    world = greeting()
    client = ask(world, 40000)
    half = world.client(40001)
    world.clock.run(0.1)
    world.service.access = Access(allow=(Prefix(bytes((192, 0, 2, 0)), 24),))
    client.write(GET)
    half.write(GET)
    world.clock.run(0.1)
    assert client.received == b"hellohello"
    assert not half.received and not half.was_reset


# Connections at a time


def test_one_connection_too_many_is_reset_and_nobody_else_notices() -> None:
    world = greeting()
    with_slots(world, 2)
    clients = [ask(world, port) for port in (40000, 40001, 40002)]
    assert [client.was_reset for client in clients] == [False, False, True]
    assert ask(world, 40000, host=OTHER).received == b"hello"
    assert world.splicer.statistics.limited == {("web", "connections"): 1}
    assert world.splicer.statistics.drops["limited"] == 1
    clients[0].shutdown()
    world.clock.run(0.1)
    # At once, although the record lingers.
    assert clients[0].finished
    assert ask(world, 40003).received == b"hello"


def close(world: World) -> None:
    client = ask(world, 40000)
    client.shutdown()
    world.clock.run(0.1)
    assert client.finished


def reset_by_client(world: World) -> None:
    ask(world, 40000).abort()


def reset_by_server(world: World) -> None:
    ask(world, 40000)
    *_, server = world.server_side.values()
    server.abort()


def reset_within_the_next_request(world: World) -> None:
    world.service.pivot = Pivot.EXACT
    client = ask(world, 40000)
    client.write(b"GET /")
    world.clock.run(0.01)
    client.abort()


def reset_while_reading(world: World) -> None:
    ask(world, 40000, b"GET /").abort()


def reset_while_connecting(world: World) -> None:
    world.dead = set(SERVERS)
    ask(world, 40000).abort()


def close_after_an_answer(world: World) -> None:
    client = ask(world, 40000, b"nonsense\r\n\r\n")
    assert client.got_fin
    client.shutdown()


def time_out(world: World) -> None:
    client = ask(world, 40000, b"GET /", seconds=15.0)
    client.shutdown()


def refuse(world: World) -> None:
    world.refusing = set(SERVERS)
    client = ask(world, 40000)
    client.shutdown()


def vanish_while_answered(world: World) -> None:
    world.clients[ask(world, 40000, b"GET /").local] = Peer(world.clock, lambda packet: None, VIP, 0, Ability())
    world.clock.run(30.0)


@pytest.mark.parametrize(
    "end",
    [
        close,
        reset_by_client,
        reset_by_server,
        reset_within_the_next_request,
        reset_while_reading,
        reset_while_connecting,
        close_after_an_answer,
        time_out,
        refuse,
        vanish_while_answered,
    ],
)
def test_every_end_gives_the_place_back_once(end: Callable[[World], None]) -> None:
    world = greeting()
    taken = with_slots(world, 5)
    other = ask(world, 41000)
    [slot] = taken.values()
    end(world)
    world.clock.run(0.1)
    assert slot.count == 1
    world.clock.run(60.0)
    assert slot.count == 1
    assert len(world.splicer.connections()) == 1
    other.abort()
    world.clock.run(0.1)
    assert not taken


def test_places_are_given_back_on_a_bad_network() -> None:
    world = World(3, Impairment(loss=0.1, duplication=0.1, reordering=0.1))
    world.serve = greet
    taken = with_slots(world, 4)
    for port in range(40000, 40012):
        client = world.client(port)
        client.write(GET)
        world.clock.run(0.3)
        client.shutdown()
    world.clock.run(120.0)
    assert not taken
    assert not world.splicer.connections()


# Rates


def test_connections_too_soon_are_reset() -> None:
    world = greeting()
    world.service.limits = ListenerLimits(connection_rate=RateLimit(Rate(1, 3), ClientPrefix()))
    assert [ask(world, 40000 + port).was_reset for port in range(5)] == [False, False, False, True, True]
    assert ask(world, 40000, host=OTHER).received == b"hello"
    world.clock.run(1.0)
    assert ask(world, 40010).received == b"hello"
    assert world.splicer.statistics.limited == {("web", "connection_rate"): 2}


def test_handshakes_without_data_use_no_rate_up() -> None:
    world = greeting()
    world.service.limits = ListenerLimits(connection_rate=RateLimit(Rate(1, 1), ClientPrefix()))
    for port in range(40000, 40100):
        world.client(port)
    world.clock.run(0.1)
    assert ask(world, 41000).received == b"hello"


def test_requests_too_soon_are_told_when_to_come_again() -> None:
    world = greeting()
    world.service.limits = ListenerLimits(request_rate=RateLimit(Rate(0.1, 2), ClientPrefix()))
    clients = [ask(world, 40000 + port) for port in range(3)]
    assert [bytes(client.received) for client in clients[:2]] == [b"hello", b"hello"]
    assert clients[2].received.startswith(b"HTTP/1.1 429 ")
    assert b"\r\nRetry-After: 10\r\n" in clients[2].received
    assert clients[2].got_fin
    assert ask(world, 40000, host=OTHER).received == b"hello"
    assert world.splicer.statistics.limited == {("web", "request_rate"): 1}
    assert world.splicer.statistics.responses == {("web", 429): 1}


def test_a_route_has_a_rate_of_its_own() -> None:
    world = greeting()
    login = Rule({"web": 1}, path=PathPrefix("/login"), request_rate=RateLimit(Rate(0.1, 1), None))
    world.service.router = Router([login], {"web": 1})
    request = b"POST /login HTTP/1.1\r\nHost: a\r\n\r\n"
    assert ask(world, 40000, request).received == b"hello"
    assert ask(world, 40001, request, host=OTHER).received.startswith(b"HTTP/1.1 429 ")
    assert ask(world, 40002).received == b"hello"


def test_requests_in_the_middle_of_a_connection_are_counted_as_any_other() -> None:
    world = Routed()
    world.service.limits = ListenerLimits(request_rate=RateLimit(Rate(0.1, 3), ClientPrefix()))
    taken = with_slots_besides(world, 5)
    client = world.client()
    converse(world, client, [get("/a1"), get("/b1"), get("/a2")])
    answered = len(client.received)
    client.write(get("/a3") + get("/a4"))
    world.clock.run(10.0, lambda: client.got_fin)
    refusal = bytes(client.received[answered:])
    assert refusal.startswith(b"HTTP/1.1 429 ")
    assert refusal.count(b"HTTP/1.1") == 1
    assert [path for path, _ in world.requests] == ["/a1", "/b1", "/a2"]
    assert sum(slot.count for slot in taken.values()) == 1
    client.shutdown()
    world.settle()
    assert not taken


def with_slots_besides(world: World, limit: int) -> Taken:
    """Limit connections, too."""
    taken = Taken()
    assert world.service.limits is not None
    world.service.limits.connections = Slots(limit, ClientPrefix(), taken)
    return taken


# Requests that take their time


def test_slow_requests_are_bounded_and_honest_ones_served() -> None:
    world = World(timeouts=Timeouts(head=10.0))
    world.serve = greet
    slow = [world.client(42000 + port) for port in range(200)]

    for client in slow:
        client.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")

    def trickle() -> None:
        for client in slow:
            client.write(b"x")
        world.clock.at(world.clock.now + 1.0, trickle)

    trickle()
    for second in range(9):
        world.clock.run(1.0)
        assert ask(world, 40000 + second, seconds=0.05).received == b"hello"
        # What has been acknowledged is kept as bytes, not as packets.
        assert all(session.cached_bytes < 1000 for session in reading(world))
    assert len(reading(world)) == 200
    world.clock.run(6.0)
    assert not reading(world)
    assert all(client.received.startswith(b"HTTP/1.1 408 ") for client in slow)


def reading(world: World) -> list[Session]:
    connections = world.splicer.connections()
    return [one for one in connections if isinstance(one, Session) and one.phase is Phase.READING]


def test_a_later_request_has_no_more_time_than_the_first() -> None:
    world = Routed(timeouts=Timeouts(head=10.0))
    clients = [world.client(42000 + port) for port in range(20)]
    for client in clients:
        converse(world, client, [get("/a")])
        client.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")

    def trickle() -> None:
        for client in clients:
            client.write(b"x")
        world.clock.at(world.clock.now + 1.0, trickle)

    trickle()
    world.clock.run(9.0)
    assert len(reading(world)) == 20
    assert all(session.cached_bytes < 1000 for session in reading(world))
    world.clock.run(3.0)
    assert not reading(world)
    assert all(b"HTTP/1.1 408 " in client.received for client in clients)


def test_idle_connections_without_a_server_give_way_to_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slowpath.splicing.handshake.SESSION_LIMIT", 5)
    world = Routed()
    world.idle_close = 1.0
    idle = [world.client(42000 + port) for port in range(5)]
    for client in idle:
        converse(world, client, [get("/a")])
    world.clock.run(2.0)
    assert [client.got_fin for client in idle] == [False] * 5
    converse(world, world.client(), [get("/a")])
    assert [client.was_reset for client in idle] == [True] + [False] * 4
    converse(world, idle[1], [get("/b")])


def test_who_is_slowest_gives_way_to_new_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slowpath.splicing.handshake.SESSION_LIMIT", 10)
    world = greeting()
    slow = [ask(world, 42000 + port, b"GET /", seconds=0.01) for port in range(10)]
    assert [ask(world, 40000 + port).received for port in range(3)] == [b"hello"] * 3
    assert sum(client.was_reset for client in slow) == 1
    assert slow[0].was_reset
    late = [ask(world, 43000 + port, b"GET /", seconds=0.01) for port in range(5)]
    assert [client.was_reset for client in slow] == [True] * 5 + [False] * 5
    assert not any(client.was_reset for client in late)
    slow[7].write(b" HTTP/1.1\r\nHost: a\r\n\r\n")
    world.clock.run(0.1)
    assert slow[7].received == b"hello"


def test_a_connection_over_a_limit_pushes_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slowpath.splicing.handshake.SESSION_LIMIT", 2)
    world = greeting()
    with_slots(world, 2)
    slow = [ask(world, 42000 + port, b"GET /", seconds=0.01) for port in range(2)]
    assert ask(world, 40000, seconds=0.01).was_reset
    assert not any(client.was_reset for client in slow)
    assert not world.splicer.statistics.drops["session_limit"]


def test_connections_that_wait_for_servers_give_way_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slowpath.splicing.handshake.SESSION_LIMIT", 3)
    world = greeting()
    world.dead = set(SERVERS)
    waiting = [ask(world, 42000 + port, seconds=0.01) for port in range(4)]
    world.dead = set()
    assert world.splicer.statistics.drops["session_limit"] >= 1
    world.clock.run(5.0)
    assert [bytes(client.received) for client in waiting] == [b"hello"] * 4


def test_a_flood_of_segments_that_belong_nowhere_gets_so_many_resets() -> None:
    world = World()
    sent = world.splicer.statistics.packets_out
    for number in range(RESETS_PER_SECOND + 100):
        source = Endpoint(bytes((10, 1, number >> 8 & 255, number & 255)), 1024 + (number >> 4))
        world.inject_raw(0, tcp.build(tcp.Segment(source, VIP, 7, 9, tcp.ACK, 0, Options())))
    statistics = world.splicer.statistics
    assert statistics.drops["no_connection"] == RESETS_PER_SECOND + 100
    assert statistics.resets_withheld >= 100
    assert statistics.packets_out - sent == statistics.drops["no_connection"] - statistics.resets_withheld
