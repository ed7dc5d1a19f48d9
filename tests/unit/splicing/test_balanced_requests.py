"""Requests of one connection that balancing sends to several servers, or has wait for one."""

from __future__ import annotations

import pytest

from slowpath.balancing.balancer import balancer
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Pool, QueuePolicy, Timeouts
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, get, response

ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)


def talk(world: Routed, client: Peer, request: bytes, answer: bytes) -> None:
    have = len(client.received)
    client.write(request)
    world.clock.run(60.0, lambda: len(client.received) >= have + len(answer) or client.was_reset)
    assert bytes(client.received[have:]) == answer


def sticky(world: Routed) -> None:
    """One pool of both servers, whose sessions have a cookie."""
    members = world.members
    for number, member in enumerate(members):
        member.name = f"s{number}"
    world.service.pools = {
        name: Pool(name, members, balancer("round_robin", members, world.random, sticky="route")) for name in "ab"
    }


@pytest.mark.parametrize("impairment", [Impairment(), ROUGH], ids=["smooth", "rough"])
def test_each_request_goes_to_the_server_that_its_cookie_names(impairment: Impairment, seed: int) -> None:
    # Patient, as a session whose server does not answer goes on elsewhere.
    world = Routed(seed, impairment, timeouts=Timeouts(connect=30.0))
    sticky(world)
    client = world.client()
    for step, number in enumerate((0, 0, 1, 1, 0)):
        talk(world, client, get(f"/{step}", f"Cookie: route=s{number}"), response(f"/{step}", number))
    client.shutdown()
    world.settle()


def test_a_session_stays_on_a_server_that_drains_and_others_leave_it() -> None:
    world = Routed()
    sticky(world)
    client = world.client()
    talk(world, client, get("/1", "Cookie: route=s0"), response("/1", 0))
    world.members[0].draining = True
    talk(world, client, get("/2", "Cookie: route=s0"), response("/2", 0))
    talk(world, client, get("/3"), response("/3", 1))
    client.shutdown()
    world.settle()


def test_a_later_request_waits_for_a_server_with_room() -> None:
    world = Routed()
    world.members[1].max_connections = 1
    world.service.pools["b"].queue = QueuePolicy(5, 30.0)
    first, second = world.client(41000), world.client(41001)
    talk(world, first, get("/b/1"), response("/b/1", 1))
    talk(world, second, get("/a/1"), response("/a/1", 0))
    second.write(get("/b/2"))
    world.clock.run(2.0)
    assert [c.phase for c in world.splicer.connections() if c.flow.client == second.local] == [Phase.QUEUED]
    assert bytes(second.received) == response("/a/1", 0)
    first.shutdown()
    world.clock.run(5.0)
    assert bytes(second.received) == response("/a/1", 0) + response("/b/2", 1)
    second.shutdown()
    world.settle()


def test_requests_stay_on_a_full_server() -> None:
    world = Routed()
    world.members[0].max_connections = 1
    client = world.client()
    for step in range(3):
        talk(world, client, get(f"/a/{step}x"), response(f"/a/{step}x", 0))
    assert not world.splicer.statistics.queued
    assert len(world.applications) == 1
    client.shutdown()
    world.settle()
