"""Connections that nothing goes on about: they come to rest, and nobody can tell."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from fastpath.interface import Closed, Idle
from fastpath.profile import HOST, SWITCH, Profile
from fastpath.records import Direction, Flow, Splice
from fastpath.verdict import Sent
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import ListenerLimits
from slowpath.limiting.slots import Slots, Taken
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.rest import REST_AFTER, Rest
from slowpath.splicing.service import Timeouts
from slowpath.splicing.sources import Snat
from slowpath.wire.endpoint import Endpoint
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, converse, get, post
from tests.simulation.world import SERVERS, VIP

PROFILES = pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)
SOON, NEVER = 0.001, 1e9
TIMEOUTS = Timeouts(head=3.0, answer=2.0, keep_alive=2.0, idle=30.0)
PER_CONNECTION = 400
"""Bytes that one at rest may take, with all that refers to it."""


class Traced(Routed):
    """Notes every packet that leaves the balancer, and how many connections have come to rest."""

    def __init__(self, seed: int = 0, impairment: Impairment = Impairment(), **options: object) -> None:
        super().__init__(seed, impairment, **options)  # type: ignore[arg-type]
        self.left: list[tuple[float, int, bytes]] = []
        self.rested = 0

    def _leave(self, sent: Sent) -> None:
        self.left.append((self.clock.now, sent.port, sent.frame))
        super()._leave(sent)

    def _tick(self) -> None:
        before = self.splicer.resting_count
        super()._tick()
        self.rested += max(self.splicer.resting_count - before, 0)


def ask(world: Traced, client: Peer, *requests: bytes) -> None:
    """Send requests in a row, and wait; whether there is an answer is for other tests to see."""
    client.write(b"".join(requests))
    world.clock.run(4.0)


def asked_now_and_then(world: Traced) -> None:
    client = world.client()
    for path in ("/a/1", "/a/30000", "/b/1", "/b/2", "/a/3"):
        ask(world, client, get(path))
        ask(world, client, post(path, b"x" * 5000))
    client.shutdown()


def pipelined(world: Traced) -> None:
    world.delay = 0.3
    client = world.client()
    ask(world, client, get("/a/1"), get("/a/2"), get("/b/1"), get("/b/2"), get("/a/3"))
    client.abort()


def servers_close(world: Traced) -> None:
    world.idle_close = 1.0
    client = world.client()
    for path in ("/a/1", "/a/2", "/b/3"):
        if not client.got_fin:
            ask(world, client, get(path))
    client.shutdown()


def upgrade(world: Traced) -> None:
    client = world.client()
    ask(world, client, get("/a/1", "Connection: upgrade", "Upgrade: x"))
    ask(world, client, get("/b/2"))
    client.shutdown()


def nobody_closes(world: Traced) -> None:
    ask(world, world.client(), get("/a/1"))


def told(story: Callable[[Traced], None], world: Traced) -> Traced:
    """The world after a story, when everybody who has not closed is found idle."""
    story(world)
    world.clock.run(60.0)
    for peer in (*world.clients.values(), *world.server_side.values()):
        if not peer.finished:
            peer.vanish()
    world.clock.run(700.0)
    world.sweep()
    world.settle()
    return world


@pytest.mark.parametrize("story", [asked_now_and_then, pipelined, servers_close, upgrade, nobody_closes])
@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
@PROFILES
def test_rest_changes_no_packet(profile: Profile, snat: bool, story: Callable[[Traced], None], seed: int) -> None:
    for round_, impairment in enumerate((Impairment(), ROUGH, ROUGH)):
        resting, awake = (
            told(
                story,
                Traced(
                    seed + round_,
                    impairment,
                    profile=profile,
                    sources=Snat([bytes((10, 2, 0, 16))]) if snat else None,
                    timeouts=TIMEOUTS,
                    rest_after=rest_after,
                ),
            )
            for rest_after in (SOON, NEVER)
        )
        assert awake.rested == 0
        assert resting.rested or impairment is ROUGH
        assert resting.left == awake.left, f"seed {seed + round_}"
        assert resting.requests == awake.requests


def idle(world: Routed, count: int = 1) -> list[Peer]:
    """Connections that have had an answer, and nothing since."""
    clients = [world.client(40000 + index) for index in range(count)]
    for client in clients:
        converse(world, client, [get("/a/1")])
    world.clock.run(2 * REST_AFTER)
    return clients


def test_idle_connections_come_to_rest_and_are_still_counted() -> None:
    world = Routed()
    clients = idle(world, 20)
    splicer = world.splicer
    assert (splicer.resting_count, splicer.connection_count, splicer.splice_count, world.records) == (20, 20, 20, 20)
    assert [member.connections for member in world.members] == [20, 0]
    assert {connection.phase for connection in splicer.connections()} == {Phase.SPLICED}
    assert splicer.next_deadline is None
    converse(world, clients[0], [get("/a/2")])
    assert splicer.resting_count == 19
    world.clock.run(2 * REST_AFTER)
    assert splicer.resting_count == 20
    for client in clients:
        client.shutdown()
    world.settle()
    assert splicer.resting_count == 0


def test_who_is_busy_does_not_rest() -> None:
    world = Routed()
    client = world.client()
    for index in range(10):
        converse(world, client, [get(f"/a/{index}")])
        world.clock.run(REST_AFTER / 2)
        assert world.splicer.resting_count == 0


def test_who_is_forwarded_by_the_slow_path_does_not_rest() -> None:
    world = Routed(capacity=0)
    idle(world)
    assert (world.splicer.resting_count, world.splicer.connection_count) == (0, 1)


def test_what_a_fast_path_reports_wakes() -> None:
    world = Routed()
    first, second = idle(world, 2)
    now = world.clock.now
    world.splicer.idle(Idle(Flow(first.local, VIP), 600.0), now)
    assert world.splicer.take_outcome().remove == [Flow(first.local, VIP)]
    world.splicer.closed(Closed(Flow(second.local, VIP), reset=True, by=Direction.TO_SERVER), now)
    assert [connection.phase for connection in world.splicer.connections()] == [Phase.LINGERING]
    assert (world.splicer.resting_count, world.members[0].connections) == (0, 0)


def test_a_client_keeps_its_place_while_its_connection_rests() -> None:
    world, taken = Routed(), Taken()
    world.service.limits = ListenerLimits(connections=Slots(1, ClientPrefix(), taken))
    [client] = idle(world)
    assert world.splicer.resting_count == 1
    refused = world.client(50000)
    refused.write(get("/a/2"))
    world.clock.run(1.0)
    assert refused.was_reset
    client.shutdown()
    world.settle()
    assert not taken


def test_connections_are_put_to_rest_a_few_at_a_time() -> None:
    world = Routed()
    service, pool, member = world.service, world.service.pools["a"], world.members[0]
    rest = Rest(REST_AFTER)
    for port in range(2500):
        rest.watch(resting(service, pool, member, 1024 + port), 0.0)
    assert rest.next_deadline == REST_AFTER
    took = []
    now = REST_AFTER
    while (due := rest.next_deadline) is not None:
        now = max(now, due)
        took.append(len(rest.idle(now)))
    assert (took, now) == ([1000, 1000, 500], REST_AFTER)


def resting(service: object, pool: object, member: object, index: int) -> Junction:
    """A junction that may rest."""
    client = Endpoint(bytes((10, 1, index >> 16, 2)), index & 0xFFFF)
    splice = Splice(Flow(client, VIP), SERVERS[0], 0, client, index, index, index)
    return Junction(splice, service, pool, member, float(index), phase=Phase.SPLICED)  # type: ignore[arg-type]


def test_how_much_memory_a_connection_at_rest_takes() -> None:
    world = Routed()
    service, pool, member = world.service, world.service.pools["a"], world.members[0]
    rest, count = Rest(REST_AFTER), 20_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for index in range(count):
            junction = resting(service, pool, member, index)
            rest.put(junction, junction.key, junction.reply_key)
        del junction
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rest.count == count
    assert (after - before) / count <= PER_CONNECTION
