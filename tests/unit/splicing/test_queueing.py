"""Servers that are full: who waits for them, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from fastpath.interface import Idle
from fastpath.records import Flow
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Balancer, Member
from slowpath.request import Request
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import QueuePolicy
from slowpath.splicing.sources import Snat
from slowpath.wire.endpoint import Endpoint
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.world import SERVERS, World

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)


class Servers:
    """Answer when told to, and close; `busy` are the connections that wait for that, the oldest first."""

    def __init__(self, world: World) -> None:
        self.busy: list[Peer] = []
        self.most: dict[object, int] = {}
        world.serve = self._serve

    def _serve(self, peer: Peer) -> None:
        def on_data() -> None:
            if peer not in self.busy and bytes(peer.received).endswith(GET) and not peer.fin_acked:
                self.busy.append(peer)
                here = sum(each.local == peer.local for each in self.busy)
                self.most[peer.local] = max(self.most.get(peer.local, 0), here)

        peer.on_data = on_data

    def answer(self) -> None:
        peer = self.busy.pop(0)
        peer.on_data = lambda: None
        peer.write(b"hello")
        peer.shutdown()


def world_with(*limits: int, size: int = 100, timeout: float = 10.0, impairment: Impairment = Impairment()) -> World:
    world = World(impairment=impairment)
    for member, limit in zip(world.members, limits, strict=True):
        member.max_connections = limit
    world.service.pools["web"].queue = QueuePolicy(size, timeout)
    return world


def ask(world: World, count: int, first_port: int = 41000) -> list[Peer]:
    clients = []
    for port in range(first_port, first_port + count):
        client = world.client(port)
        client.write(GET)
        clients.append(client)
        world.clock.run(0.01)
    return clients


def waiting(world: World) -> int:
    return sum(connection.phase is Phase.QUEUED for connection in world.splicer.connections())


def test_those_who_find_every_server_full_are_served_in_their_order() -> None:
    world = world_with(1, 1)
    servers = Servers(world)
    clients = ask(world, 6)
    assert (len(servers.busy), waiting(world)) == (2, 4)
    for served in range(1, 7):
        servers.answer()
        client = clients[served - 1]
        world.clock.run(1.0)
        assert client.got_fin
        client.shutdown()
        world.clock.run(1.0)
        assert [each.received == b"hello" for each in clients] == [True] * served + [False] * (6 - served)
        assert waiting(world) == max(4 - served, 0)
    assert set(servers.most.values()) == {1}
    assert world.splicer.statistics.queued == {"web": 4}
    assert sum(world.splicer.statistics.queue_seconds.buckets) == 4
    assert not world.splicer.statistics.queue_failures


def test_a_queue_without_a_place() -> None:
    world = world_with(1, 1, size=1)
    servers = Servers(world)
    clients = ask(world, 4)
    world.clock.run(0.1)
    assert (len(servers.busy), waiting(world)) == (2, 1)
    assert clients[3].received.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in clients[3].received
    assert world.splicer.statistics.queue_failures == {("web", "full"): 1}
    assert not world.splicer.statistics.connect_failures


def test_no_queue_at_all() -> None:
    world = world_with(1, 1, size=0)
    Servers(world)
    clients = ask(world, 3)
    world.clock.run(0.1)
    assert clients[2].received.startswith(b"HTTP/1.1 503 ")
    assert (waiting(world), world.splicer.statistics.queued) == (0, {})


def test_waiting_has_an_end() -> None:
    world = world_with(1, 1, timeout=3.0)
    Servers(world)
    clients = ask(world, 3)
    world.clock.run(2.9)
    assert waiting(world) == 1 and not clients[2].received
    world.clock.run(0.2)
    assert waiting(world) == 0 and clients[2].received.startswith(b"HTTP/1.1 503 ")
    assert world.splicer.statistics.queue_failures == {("web", "timeout"): 1}


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_client_that_leaves_gives_up_its_place(how: str) -> None:
    world = world_with(1, 1)
    servers = Servers(world)
    clients = ask(world, 4)
    if how == "reset":
        clients[2].abort()
    else:
        clients[2].shutdown()
    world.clock.run(1.0)
    assert waiting(world) == 1
    assert bytes(clients[2].received[:13]) == (b"" if how == "reset" else b"HTTP/1.1 503 ")
    servers.answer()
    world.clock.run(1.0)
    clients[0].shutdown()
    world.clock.run(1.0)
    servers.answer()
    clients[1].shutdown()
    world.clock.run(1.0)
    servers.answer()
    world.clock.run(1.0)
    assert clients[3].received == b"hello"
    assert world.splicer.statistics.queue_failures == {("web", "left"): 1}


def test_a_request_and_a_fin_at_once_find_no_place() -> None:
    world = world_with(1, 1)
    Servers(world)
    ask(world, 2)
    late = world.client(42000)
    late.write(GET)
    late.shutdown()
    world.clock.run(1.0)
    assert late.received.startswith(b"HTTP/1.1 503 ")
    assert waiting(world) == 0


def test_a_server_that_comes_up_takes_those_who_wait() -> None:
    world = world_with(1, 3)
    world.members[1].up = False
    servers = Servers(world)
    ask(world, 4)
    assert (len(servers.busy), waiting(world)) == (1, 3)
    world.members[1].up = True
    world.splicer.revive(world.clock.now)
    world._apply()
    world.clock.run(0.1)
    assert (len(servers.busy), waiting(world)) == (4, 0)


def test_a_server_that_is_full_is_not_one_that_failed() -> None:
    world = world_with(1, 1)
    world.refusing = {SERVERS[0]}
    servers = Servers(world)
    clients = ask(world, 2)
    world.clock.run(0.5)
    assert (len(servers.busy), waiting(world)) == (1, 1)
    servers.answer()
    world.clock.run(0.5)
    clients[0].shutdown()
    world.clock.run(0.5)
    servers.answer()
    world.clock.run(0.5)
    assert [bytes(client.received) for client in clients] == [b"hello", b"hello"]


def test_a_connection_that_falls_silent_makes_room_at_once() -> None:
    world = world_with(1, 1)
    servers = Servers(world)
    clients = ask(world, 3)
    world.splicer.idle(Idle(Flow(clients[0].local, world.vip), 600.0), world.clock.now)
    world._apply()
    world.clock.run(0.1)
    assert (len(servers.busy), waiting(world)) == (3, 0)


class Counting:
    """A strategy that counts how often it is asked."""

    def __init__(self, inner: Balancer) -> None:
        self._inner = inner
        self.asked = 0
        self.regards_clients = inner.regards_clients

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        self.asked += 1
        return self._inner.pick(client, request, tried)

    def turns(self, count: int) -> list[Member]:
        return self._inner.turns(count)

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        return self._inner.stays(client, member, request)


def test_of_many_who_wait_for_the_same_one_is_asked() -> None:
    world = world_with(1, 1)
    pool = world.service.pools["web"]
    world.members[1].rank = 1  # It has room, and nobody may use it.
    pool.balancer = counting = Counting(balancer("round_robin", world.members, world.random))
    servers = Servers(world)
    ask(world, 20)
    assert (len(servers.busy), waiting(world)) == (1, 19)
    counting.asked = 0
    world.splicer.revive(world.clock.now)
    assert (counting.asked, waiting(world)) == (1, 19)


@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
def test_nobody_is_forgotten_on_a_rough_network(snat: bool, seed: int) -> None:
    for round_ in range(3):
        sources = Snat([bytes((10, 2, 0, 16))]) if snat else None
        world = World(seed + round_, ROUGH, sources=sources)
        for member in world.members:
            member.max_connections = 2
        world.service.pools["web"].queue = QueuePolicy(100, 1000.0)
        most = {member.id: 0 for member in world.members}
        servers = Servers(world)
        clients = []
        for port in range(41000, 41020):
            client = world.client(port)
            client.write(GET)
            clients.append(client)
        done = 0
        for _ in range(2000):
            world.clock.run(0.2)
            for member in world.members:
                most[member.id] = max(most[member.id], member.connections)
            while servers.busy:
                servers.answer()
            for client in clients:
                if client.got_fin:
                    client.shutdown()
            done = sum(client.finished for client in clients)
            if done == len(clients):
                break
        assert [bytes(client.received) for client in clients] == [b"hello"] * 20, f"seed {seed + round_}"
        world.clock.run(10.0)
        assert set(most.values()) == {2}
        assert (world.records, len(world.splicer.connections())) == (0, 0), f"seed {seed + round_}"
        assert all(member.connections == 0 for member in world.members)
