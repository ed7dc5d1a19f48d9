"""Requests whose end is not known, and those that ask for another protocol."""

from __future__ import annotations

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.splicing.phases import Phase
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability
from tests.simulation.requests import Routed, answered, converse, expected, get, pipeline, post, response

ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)
PROFILES = pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
UPGRADE = get("/a/x", "Connection: upgrade", "Upgrade: x")


@PROFILES
def test_once_the_server_agrees_nothing_is_read_any_more(profile: Profile, seed: int) -> None:
    for round_ in range(6):
        world = Routed(seed + round_, ROUGH, profile=profile)
        world.answers["/a/x"] = SWITCHED
        client = world.client()
        client.write(UPGRADE)
        world.clock.run(10.0, answered(client, len(SWITCHED)))
        world.clock.run(0.5)
        [splice] = world.fastpath.splices()
        assert splice.pivot is None
        before = world.splicer.statistics.packets_in
        client.write(get("/b/1"))  # That is no request any more.
        world.clock.run(5.0)
        assert world.splicer.statistics.packets_in == before
        assert bytes(client.received) == SWITCHED + response("/b/1", 0)
        client.shutdown()
        world.settle()


@pytest.mark.parametrize("early", [False, True])
@PROFILES
def test_a_server_that_does_not_agree_gets_no_other_pools_requests(profile: Profile, early: bool, seed: int) -> None:
    for round_ in range(6):
        world = Routed(seed + round_, ROUGH, profile=profile)
        if early:
            client = pipeline(world, Ability(), None, [UPGRADE, get("/b/1")], 2)
        else:
            client = world.client()
            converse(world, client, [UPGRADE, get("/b/1")])
        # A copy of a SYN that comes late opens one more at the first server, on which nothing is ever asked.
        asked = [application.requests for application in world.applications if application.requests]
        assert asked == [[("/a/x", 0)], [("/b/1", 0)]]
        client.shutdown()
        world.settle()


@PROFILES
def test_a_later_request_may_ask_as_well(profile: Profile) -> None:
    world = Routed(profile=profile)
    world.answers["/a/x"] = SWITCHED
    client = world.client()
    converse(world, client, [get("/b/1"), get("/a/1")])
    have = len(client.received)
    client.write(UPGRADE)
    world.clock.run(5.0)
    assert bytes(client.received[have:]) == SWITCHED
    assert [connection.phase for connection in world.splicer.connections()] == [Phase.SPLICED]


@pytest.mark.parametrize("method", [b"CONNECT a:80", b"GET /a/x"])
def test_a_tunnel_is_one_by_any_2xx(method: bytes) -> None:
    world = Routed()
    world.answers["a:80"] = world.answers["/a/x"] = b"HTTP/1.1 200 OK\r\n\r\n"
    client = world.client()
    client.write(method + b" HTTP/1.1\r\nHost: a:80\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    world.clock.run(5.0)
    [splice] = world.fastpath.splices()
    assert (splice.pivot is None) == method.startswith(b"CONNECT")


@PROFILES
def test_a_chunked_upload_is_the_last_request_of_its_connection(profile: Profile, seed: int) -> None:
    for round_ in range(6):
        world = Routed(seed + round_, ROUGH, profile=profile)
        client = world.client()
        converse(world, client, [get("/b/1")])
        have = len(client.received)
        head = get("/a/c", "Transfer-Encoding: chunked").replace(b"GET", b"POST")
        body = b"7d0\r\n" + b"c" * 2000 + b"\r\n"
        client.write(head + body)
        world.clock.run(0.3)
        client.write(body * 9 + b"0\r\n\r\n")
        world.clock.run(30.0)
        assert bytes(client.received[have:]) == response("/a/c", 0, 10 * len(body) + 5)
        assert client.got_fin
        # A copy of a SYN that comes late opens one more, on which nothing is ever asked.
        heads = [head for application in world.applications for head in application.heads]
        assert b"\r\nConnection: close" in heads[-1]
        client.shutdown()
        world.settle()


def test_a_large_upload_stays_in_the_fast_path() -> None:
    world = Routed()
    client = world.client()
    converse(world, client, [get("/a/1")])
    before = world.splicer.statistics.packets_in
    converse(world, client, [post("/a/2", b"u" * 400_000)])
    assert world.splicer.statistics.packets_in - before <= 2
    converse(world, client, [get("/b/1")])


def test_where_a_pivot_is_one_bit_a_large_upload_ends_the_connection() -> None:
    world = Routed(profile=SWITCH)
    client = world.client()
    converse(world, client, [get("/a/1")])
    before = world.splicer.statistics.packets_in
    request = post("/a/2", b"u" * 400_000)
    have = len(client.received)
    client.write(request)
    world.clock.run(10.0)
    assert bytes(client.received[have:]) == expected([request])
    assert world.splicer.statistics.packets_in - before <= 60
    assert client.got_fin
