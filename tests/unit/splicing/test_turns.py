"""Requests of one connection to different servers, over a network that loses, repeats and reorders."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.balancing.balancer import balancer
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Timeouts
from slowpath.splicing.sources import Snat
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability
from tests.simulation.requests import Routed, converse, expected, get, pipeline, post, response

ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)
PROFILES = pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])


def paths(world: Routed) -> list[list[str]]:
    """What each connection to a server was asked for."""
    return [[path for path, _ in application.requests] for application in world.applications]


@PROFILES
def test_requests_go_where_the_rules_say(profile: Profile) -> None:
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1"), get("/a/2"), get("/b/1"), get("/b/2"), get("/a/3"), get("/b/3")])
    assert paths(world) == [["/a/1", "/a/2"], ["/b/1", "/b/2"], ["/a/3"], ["/b/3"]]
    assert world.splicer.statistics.requests == {("web", "a"): 3, ("web", "b"): 3}
    assert world.splicer.statistics.connections == {"web": 1}
    client.shutdown()
    world.settle()


@PROFILES
def test_a_request_that_stays_costs_one_packet_in_and_one_out(profile: Profile) -> None:
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1")])
    statistics = world.splicer.statistics
    before = statistics.packets_in, statistics.packets_out
    converse(world, client, [get(f"/a/{index}") for index in range(10)])
    assert (statistics.packets_in - before[0], statistics.packets_out - before[1]) == (10, 10)


@pytest.mark.parametrize("ability", [Ability(), Ability(536, None, False, False)], ids=["all options", "none"])
@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
@pytest.mark.parametrize("at_once", [1, 3])
@PROFILES
def test_a_rough_network(profile: Profile, at_once: int, snat: bool, ability: Ability, seed: int) -> None:
    for round_ in range(6):
        random = Random(seed + round_)
        sources = Snat([bytes((10, 2, 0, 16))]) if snat else None
        world = Routed(seed + round_, ROUGH, profile=profile, sources=sources)
        iss = 2**32 - 300 if round_ % 2 else None
        requests = [
            get(f"/{random.choice('ab')}/{random.choice((10, 3000, 20000))}")
            if random.random() < 0.7
            else post(f"/{random.choice('ab')}/{index}", random.randbytes(random.choice((10, 5000, 30000))))
            for index in range(9)
        ]
        if at_once == 1:
            client = world.client(ability=ability, iss=iss)
            converse(world, client, requests)
        else:
            client = pipeline(world, ability, iss, requests, at_once)
        client.shutdown()
        world.settle()
        assert client.finished, f"seed {seed + round_}"


@PROFILES
def test_a_table_that_is_full_changes_nothing_for_requests(profile: Profile, seed: int) -> None:
    world = Routed(seed, ROUGH, profile=profile, capacity=0)
    client = world.client()
    converse(world, client, [get("/a/1"), get("/a/2"), get("/b/1"), post("/b/2", b"x" * 9000), get("/a/3000")])
    client.shutdown()
    world.settle()


# Pipelining


@pytest.mark.parametrize("impatient", [False, True])
@PROFILES
def test_pipelined_requests_are_answered_in_their_order(profile: Profile, impatient: bool) -> None:
    """Whatever the servers think of a half-close, none sees one before it has answered."""
    world = Routed(profile=profile)
    world.delay, world.impatient = 0.3, impatient
    client = world.client()
    row = [get("/a/1"), get("/a/2"), get("/b/1"), get("/b/2"), get("/a/3")]
    converse(world, client, row, at_once=5)
    assert paths(world) == [["/a/1", "/a/2"], ["/b/1", "/b/2"], ["/a/3"]]


@PROFILES
def test_a_response_to_head_has_no_body(profile: Profile) -> None:
    world = Routed(profile=profile)
    world.delay = 0.2
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    world.answers["/a/h"] = b"HTTP/1.1 103 Early Hints\r\n\r\n" + head
    client = world.client()
    client.write(get("/a/h").replace(b"GET", b"HEAD") + get("/b/1"))
    world.clock.run(5.0)
    assert client.received == world.answers["/a/h"] + response("/b/1", 1)


@PROFILES
def test_without_an_answer_the_next_one_is_not_taken_for_it(profile: Profile) -> None:
    """The server ends while the client waits for two responses: the client has to learn that."""
    world = Routed(profile=profile)
    world.delay = 0.2
    client = world.client()
    client.write(get("/a/1"))
    world.clock.run(0.1)
    client.write(get("/b/1"))
    world.clock.run(0.05)
    [server] = world.server_side.values()
    server.shutdown()
    server.write = lambda data: None  # type: ignore[method-assign]
    world.clock.run(5.0)
    assert (bytes(client.received), client.got_fin) == (b"", True)
    client.shutdown()
    world.settle()


@PROFILES
def test_a_response_under_way_is_finished(profile: Profile) -> None:
    """The next request overtakes most of the response to the one before: nobody knows whether the FIN ends that."""
    world = Routed(profile=profile)
    client = world.client()
    row = [get("/a/300000"), get("/b/1")]
    client.write(row[0])
    world.clock.run(5.0, lambda: len(client.received) > 5000)
    client.write(row[1])
    world.clock.run(5.0)
    assert (bytes(client.received), client.got_fin) == (expected(row[:1]), True)
    client.shutdown()
    world.settle()


@pytest.mark.parametrize("impatient", [False, True])
@PROFILES
def test_no_response_is_taken_for_that_to_another_request(profile: Profile, impatient: bool) -> None:
    """The second of three requests has no answer yet when the third goes elsewhere, and the first one's has passed."""
    world = Routed(profile=profile)
    world.delay, world.impatient = 0.3, impatient
    client = world.client()
    row = [get("/a/1"), get("/a/2"), get("/b/1")]
    client.write(row[0] + row[1])
    world.clock.run(5.0, lambda: len(client.received) >= len(expected(row[:1])))
    world.clock.run(0.01)
    client.write(row[2])
    world.clock.run(10.0)
    assert (bytes(client.received), client.got_fin) == (expected(row[:2]), True)
    assert paths(world) == [["/a/1", "/a/2"]]
    client.shutdown()
    world.settle()


@PROFILES
def test_a_server_that_ends_before_it_has_all_ends_its_client(profile: Profile) -> None:
    world = Routed(profile=profile)
    client = world.client()
    upload = post("/a/2", b"u" * 60_000)
    converse(world, client, [get("/a/1")])
    have = len(client.received)
    client.write(upload[:1000])
    world.clock.run(0.01)
    [server] = world.server_side.values()
    server.shutdown()
    client.write(upload[1000:] + get("/b/1"))
    world.clock.run(10.0)
    assert (len(client.received), client.got_fin or client.was_reset) == (have, True)
    assert ("/b/1", 0) not in world.requests


# Heads in pieces


@pytest.mark.parametrize("path", ["/a/2", "/b/2"])
@PROFILES
def test_a_head_in_pieces(profile: Profile, path: str) -> None:
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1")])
    have = len(client.received)
    whole = get(path, "X-Long: " + "y" * 3000)
    for start in range(0, len(whole), 100):
        client.write(whole[start : start + 100])
        world.clock.run(0.01)
    world.clock.run(5.0)
    assert bytes(client.received[have:]) == expected([whole])
    client.shutdown()
    world.settle()


@PROFILES
def test_a_client_that_waits_for_an_ack_gets_one(profile: Profile) -> None:
    """Nagle: the rest of a head comes after the ACK for its beginning."""
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1")])
    have, whole = len(client.received), get("/a/2")
    client.write(whole[:5])
    world.clock.run(0.5, lambda: not client._out)
    assert not client._out
    client.write(whole[5:])
    world.clock.run(5.0)
    assert bytes(client.received[have:]) == expected([whole])


@PROFILES
def test_half_a_head_times_out(profile: Profile) -> None:
    world = Routed(profile=profile, timeouts=Timeouts(head=2.0))
    client = world.client()
    converse(world, client, [get("/a/1")])
    have = len(client.received)
    client.write(b"GET /a/2 HT")
    world.clock.run(10.0)
    assert client.received[have:].startswith(b"HTTP/1.1 408 ")
    assert client.got_fin


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET  /a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (get("/a", "X-Long: " + "y" * 20_000), 431),
        (get("/a").replace(b"1.1", b"2.0"), 505),
    ],
)
@PROFILES
def test_a_later_request_is_refused_as_the_first_one_is(profile: Profile, request_: bytes, status: int) -> None:
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1")])
    have = len(client.received)
    client.write(request_)
    world.clock.run(10.0)
    assert client.received[have:].startswith(b"HTTP/1.1 %d " % status)
    assert client.got_fin
    client.shutdown()
    world.settle()


@PROFILES
def test_a_later_request_without_a_route_gets_404(profile: Profile) -> None:
    world = Routed(profile=profile)
    world.service.router._default = None
    client = world.client()
    converse(world, client, [get("/b/1")])
    have = len(client.received)
    client.write(get("/elsewhere"))
    world.clock.run(10.0)
    assert client.received[have:].startswith(b"HTTP/1.1 404 ")


# Clients that end


@pytest.mark.parametrize("milliseconds", range(0, 14, 2))
@pytest.mark.parametrize("way", ["reset", "half-close"])
@PROFILES
def test_a_client_that_ends_at_any_point_of_a_turn(profile: Profile, way: str, milliseconds: int) -> None:
    world = Routed(profile=profile)
    world.delay = 0.005
    client = world.client()
    converse(world, client, [get("/a/1")])
    have = len(client.received)
    client.write(get("/b/1"))
    world.clock.run(milliseconds / 1000)
    if way == "reset":
        client.abort()
    else:
        client.shutdown()
        world.clock.run(5.0)
        assert bytes(client.received[have:]) == expected([get("/b/1")])
    world.settle()


@PROFILES
def test_servers_lose_their_connections_when_clients_move_on(profile: Profile) -> None:
    world = Routed(profile=profile)
    client = world.client()
    converse(world, client, [get("/a/1"), get("/b/1")])
    world.clock.run(1.0)
    assert [member.connections for member in world.members] == [0, 1]
    assert [peer.finished for peer in world.server_side.values()] == [True, False]
    assert [connection.phase for connection in world.splicer.connections()] == [Phase.SPLICED]


@PROFILES
def test_a_server_that_drains_loses_the_next_request(profile: Profile) -> None:
    world = Routed(profile=profile)
    world.service.pools["a"].balancer = balancer("round_robin", world.members, world.random)
    client = world.client()
    converse(world, client, [get("/a/1")])
    busy = next(member for member in world.members if member.connections)
    busy.draining = True
    have = len(client.received)
    client.write(get("/a/2"))
    world.clock.run(2.0)
    assert bytes(client.received[have:]) == response("/a/2", 1 - world.members.index(busy))
    assert not client.got_fin
