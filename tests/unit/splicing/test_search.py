"""Looking for connections, those at rest and those that are not."""

from __future__ import annotations

import pytest

from slowpath.splicing.phases import Phase
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.search import Match, Prefix, Search, Wanted
from slowpath.wire.endpoint import Endpoint
from tests.simulation.requests import Routed, converse, get
from tests.simulation.world import SERVERS, VIP

RESTING, AWAKE = 6, 3


def done(search: Search) -> Search:
    for _ in search.steps():
        pass
    return search


def clients(found: list[Match]) -> list[int]:
    return [each.ends[0].port for each in found]


@pytest.fixture(scope="module")
def world() -> Routed:
    """Connections from ports 40000 on, one a second, every other one to the second server; the last ones are awake."""
    world = Routed()
    for index in range(RESTING + AWAKE):
        if index == RESTING:
            world.clock.run(2 * REST_AFTER)
        converse(world, world.client(40000 + index, host=2 + index % 3), [get(f"/{'ab'[index % 2]}/1")])
    world.client(50000).write(b"GET /half")
    world.clock.run(0.01)
    assert world.splicer.resting_count == RESTING
    return world


def test_all_are_found_the_oldest_first(world: Routed) -> None:
    search = done(world.splicer.search(Wanted(100)))
    assert clients(search.oldest) == [*range(40000, 40000 + RESTING + AWAKE), 50000]
    assert search.matching == world.splicer.connection_count
    first, last = search.oldest[0], search.oldest[-1]
    assert first.ends == (Endpoint(VIP.address[:-1] + b"\2", 40000), VIP)
    assert (first.server, first.pool, first.phase) == (SERVERS[0], "a", Phase.SPLICED)
    assert (last.server, last.pool, last.phase) == (None, None, Phase.READING)
    assert sorted(search.oldest) == search.oldest


@pytest.mark.parametrize("limit", [1, 2, RESTING, RESTING + 1])
def test_no_more_than_asked_for_but_all_are_counted(world: Routed, limit: int) -> None:
    search = done(world.splicer.search(Wanted(limit)))
    assert clients(search.oldest) == list(range(40000, 40000 + limit))
    assert search.matching == world.splicer.connection_count


@pytest.mark.parametrize(
    ("wanted", "ports"),
    [
        (Wanted(100, server=SERVERS[1]), [40001, 40003, 40005, 40007]),
        (Wanted(100, pool="a"), [40000, 40002, 40004, 40006, 40008]),
        (Wanted(100, pool="c"), []),
        (Wanted(100, phase=Phase.READING), [50000]),
        (Wanted(100, client=Prefix(VIP.address[:-1] + b"\3", 32)), [40001, 40004, 40007]),
        (Wanted(100, client=Prefix(bytes((10, 1, 0, 2)), 31)), [40000, 40001, 40003, 40004, 40006, 40007, 50000]),
        (Wanted(100, client=Prefix(bytes(4), 0), pool="b", phase=Phase.SPLICED), [40001, 40003, 40005, 40007]),
        (Wanted(100, client=Prefix(bytes(16), 0)), []),
    ],
    ids=["server", "pool", "no pool", "state", "address", "network", "all at once", "other version"],
)
def test_what_is_not_asked_for_is_left_out(world: Routed, wanted: Wanted, ports: list[int]) -> None:
    search = done(world.splicer.search(wanted))
    assert (clients(search.oldest), search.matching) == (ports, len(ports))


def test_connections_may_come_and_go_between_two_steps() -> None:
    world = Routed()
    peers = [world.client(40000 + index) for index in range(4)]
    for peer in peers:
        converse(world, peer, [get("/a/1")])
    world.clock.run(2 * REST_AFTER)
    search = world.splicer.search(Wanted(100))
    for step, _ in enumerate(search.steps()):
        peers[step % 4].shutdown()
        world.client(41000 + step).write(get("/a/1"))
        world.clock.run(2 * REST_AFTER)
    assert search.oldest


def test_who_comes_to_rest_between_two_steps_counts_once() -> None:
    world = Routed()
    converse(world, world.client(), [get("/a/1")])
    search = world.splicer.search(Wanted(10))
    steps = search.steps()
    next(steps)
    world.clock.run(2 * REST_AFTER)
    assert world.splicer.resting_count == 1
    for _ in steps:
        pass
    assert (search.matching, clients(search.oldest)) == (1, [40000])
