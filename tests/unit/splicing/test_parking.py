"""Servers that close between two requests: the client does not notice, and its next request finds another server."""

from __future__ import annotations

import pytest

from fastpath.profile import SWITCH
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Timeouts
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, converse, expected, get, response

ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)


def phases(world: Routed) -> list[Phase]:
    return [connection.phase for connection in world.splicer.connections()]


def parked(world: Routed) -> Peer:
    """A client whose server has closed after its first request."""
    world.idle_close = 1.0
    client = world.client()
    converse(world, client, [get("/a/1")])
    world.clock.run(2.0)
    assert phases(world) == [Phase.PARKED]
    assert not client.got_fin
    assert all(peer.finished for peer in world.server_side.values())
    assert world.members[0].connections == 0
    return client


@pytest.mark.parametrize("path", ["/a/2", "/b/2"])
def test_the_next_request_goes_to_a_fresh_connection(path: str) -> None:
    world = Routed()
    client = parked(world)
    converse(world, client, [get(path), get(path)])
    assert phases(world) == [Phase.SPLICED]
    client.shutdown()
    world.settle()


def test_again_and_again_on_a_rough_network(seed: int) -> None:
    for round_ in range(10):
        world = Routed(seed + round_, ROUGH)
        world.idle_close = 1.0
        client = world.client()
        for path in ("/a/1", "/b/1", "/a/2", "/a/3", "/b/9000"):
            converse(world, client, [get(path)])
            world.clock.run(world.random.choice((0.0, 0.9, 1.0, 1.05, 3.0)))
            assert not client.was_reset, f"seed {seed + round_}"
            if client.got_fin:
                break  # The server had something to send again just before it closed.
        client.shutdown()
        world.settle()


def test_after_a_while_the_client_is_told() -> None:
    world = Routed(timeouts=Timeouts(keep_alive=5.0))
    client = parked(world)
    have = len(client.received)
    world.clock.run(3.5)
    assert not client.got_fin
    world.clock.run(2.0)
    assert (client.got_fin, len(client.received)) == (True, have)
    client.shutdown()
    world.settle()


def test_a_client_that_closes_is_answered() -> None:
    world = Routed()
    client = parked(world)
    client.shutdown()
    world.clock.run(1.0)
    assert client.finished
    world.settle()


def test_a_client_that_resets_is_forgotten() -> None:
    world = Routed()
    client = parked(world)
    client.abort()
    world.clock.run(0.1)
    assert not world.splicer.connections()


def test_half_a_request_after_it_times_out() -> None:
    world = Routed(timeouts=Timeouts(head=2.0))
    client = parked(world)
    have = len(client.received)
    client.write(b"GET /a")
    world.clock.run(4.0)
    assert client.received[have:].startswith(b"HTTP/1.1 408 ")


def test_a_request_that_crosses_the_fin_is_not_lost() -> None:
    """The server had closed when the request came."""
    for steps in range(12):
        world = Routed()
        world.idle_close = 1.0
        client = world.client()
        converse(world, client, [get("/a/1")])
        world.clock.run(0.9995 - 0.006 + steps * 0.0005)
        have = len(client.received)
        client.write(get("/a/2"))
        world.clock.run(10.0)
        if client.was_reset:
            # The server answered the request with a RST before we knew of its FIN: nobody can tell what it has done.
            continue
        assert bytes(client.received[have:]) == response("/a/2", 0), steps


def test_the_end_of_a_response_is_passed_on() -> None:
    world = Routed()
    world.closing.add("/a/1")
    client = world.client()
    client.write(get("/a/1"))
    world.clock.run(1.0)
    assert (bytes(client.received), client.got_fin) == (expected([get("/a/1")]), True)
    client.shutdown()
    world.settle()


def test_a_server_that_closes_without_an_answer_is_passed_on() -> None:
    world = Routed()
    world.delay = 100.0
    client = world.client()
    client.write(get("/a/1"))
    world.clock.run(2.0)
    [server] = world.server_side.values()
    server.shutdown()
    world.clock.run(1.0)
    assert client.got_fin


def test_a_switch_passes_every_fin_on() -> None:
    world = Routed(profile=SWITCH)
    world.idle_close = 1.0
    client = world.client()
    converse(world, client, [get("/a/1")])
    world.clock.run(2.0)
    assert client.got_fin
    client.shutdown()
    world.settle()
