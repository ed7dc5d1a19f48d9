"""Rules and members that change while connections are open."""

from __future__ import annotations

from dataclasses import replace

from slowpath.balancing.balancer import balancer
from slowpath.routing.router import Router
from slowpath.splicing.service import Pool
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, get, response


def talk(world: Routed, client: Peer, request: bytes, answer: bytes) -> None:
    have = len(client.received)
    client.write(request)
    world.clock.run(10.0, lambda: len(client.received) >= have + len(answer) or client.was_reset)
    assert bytes(client.received[have:]) == answer


def only(world: Routed, number: int) -> None:
    """A reload: every request to one server, in a pool that was not there before, and the old pools are empty."""
    pool = Pool("new", [world.members[number]], balancer("round_robin", [world.members[number]], world.random))
    world.splicer.replace([replace(world.service, router=Router([], {"new": 1}), pools={"new": pool})])
    for old in world.service.pools.values():
        old.members = []
        old.balancer = balancer("round_robin", [], world.random)


def test_a_head_that_is_being_read_is_routed_by_the_new_rules() -> None:
    world = Routed()
    client = world.client()
    request = get("/1")
    client.write(request[:10])
    world.clock.run(1.0)
    only(world, 1)
    talk(world, client, request[10:], response("/1", 1))
    client.shutdown()
    world.settle()


def test_the_next_request_of_an_open_connection_is_routed_by_the_new_rules() -> None:
    world = Routed()
    client = world.client()
    talk(world, client, get("/1"), response("/1", 0))
    only(world, 1)
    talk(world, client, get("/2"), response("/2", 1))
    client.shutdown()
    world.settle()


def test_a_connection_to_a_listener_that_has_gone_keeps_its_rules() -> None:
    world = Routed()
    client = world.client()
    talk(world, client, get("/1"), response("/1", 0))
    world.splicer.replace([])
    talk(world, client, get("/2"), response("/2", 0))
    client.shutdown()
    world.settle()


def test_a_pool_whose_members_change_serves_the_connections_that_it_has() -> None:
    world = Routed()
    client = world.client()
    talk(world, client, get("/1"), response("/1", 0))
    pool = world.service.pools["a"]
    pool.members = [world.members[1]]
    pool.balancer = balancer("round_robin", pool.members, world.random)
    world.members[0].draining = True
    talk(world, client, get("/2"), response("/2", 1))
    client.shutdown()
    world.settle()
