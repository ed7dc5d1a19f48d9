"""Edits of every request of a connection: what a client pipelines or sends later is edited as its first request is."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.http.editing import FieldEdits, HeadEdits, Identity
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.sources import Snat
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, converse, get, post, response

ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)
SPOOFED = ("X-Forwarded-For: 6.6.6.6", "Connection: x-forwarded-for", "X-Debug: 1")
LONGER = HeadEdits([Identity.X_FORWARDED_FOR, Identity.FORWARDED], fields=[FieldEdits(set={"x-debug": "0" * 500})])
SHORTER = HeadEdits([Identity.X_FORWARDED_FOR], fields=[FieldEdits(remove=frozenset({"x-debug"}))])


def edited_world(edits: HeadEdits, *arguments: object, **options: object) -> Routed:
    world = Routed(*arguments, **options)  # type: ignore[arg-type]
    world.service.router = Router([Rule({"b": 1}, path=Prefix("/b"), edits=edits)], {"a": 1}, edits)
    return world


def heads(world: Routed) -> list[bytes]:
    return [head for application in world.applications for head in application.heads]


def assert_nobody_was_fooled(world: Routed, count: int, why: str = "") -> None:
    assert len(heads(world)) == count, why
    for head in heads(world):
        assert head.count(b"X-Forwarded-For: 10.1.0.2") == 1, why
        assert b"6.6.6.6" not in head and b"X-Debug" not in head and b"Connection: x-" not in head, why


@pytest.mark.parametrize("edits", [LONGER, SHORTER], ids=["longer", "shorter"])
@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
@pytest.mark.parametrize("at_once", [1, 3], ids=["in-turn", "pipelined"])
def test_every_request_is_edited(edits: HeadEdits, profile: Profile, at_once: int) -> None:
    world = edited_world(edits, profile=profile)
    client = world.client()
    converse(world, client, [get(f"/{pool}/{index}", *SPOOFED) for index, pool in enumerate("aaabba")], at_once=at_once)
    assert_nobody_was_fooled(world, 6)
    client.shutdown()
    world.settle()
    assert client.finished


@pytest.mark.parametrize("edits", [LONGER, SHORTER], ids=["longer", "shorter"])
@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
def test_a_rough_network(edits: HeadEdits, snat: bool, seed: int) -> None:
    for round_ in range(6):
        why = f"seed {seed + round_}"
        random = Random(seed + round_)
        sources = Snat([bytes((10, 2, 0, 16))]) if snat else None
        world = edited_world(edits, seed + round_, ROUGH, profile=SWITCH if round_ % 2 else HOST, sources=sources)
        client = world.client(iss=2**32 - 300 if round_ % 3 == 0 else None)
        requests = [
            get(f"/{random.choice('ab')}/{random.choice((10, 3000, 20000))}", *SPOOFED)
            if random.random() < 0.6
            else post(f"/{random.choice('ab')}/{index}", random.randbytes(random.choice((10, 5000, 30000))), *SPOOFED)
            for index in range(6)
        ]
        converse(world, client, requests, at_once=1 + round_ % 3)
        assert_nobody_was_fooled(world, 6, why)
        client.shutdown()
        world.settle()
        assert client.finished, why


def test_routes_with_and_without_edits_share_a_connection() -> None:
    world = Routed()
    world.service.router = Router([Rule({"b": 1}, path=Prefix("/b"), edits=LONGER)], {"a": 1})
    client = world.client()
    converse(world, client, [get(f"/{pool}/{index}", *SPOOFED) for index, pool in enumerate("aabbaab")], at_once=7)
    for head in heads(world):
        assert (b"6.6.6.6" in head) == head.startswith(b"GET /a"), head
    client.shutdown()
    world.settle()


def test_a_chunked_upload_is_edited_and_ends_its_connection(seed: int) -> None:
    """It is told to close in the same head."""
    for round_ in range(6):
        world = edited_world(LONGER, seed + round_, ROUGH, profile=SWITCH if round_ % 2 else HOST)
        client = world.client()
        converse(world, client, [get("/b/1", *SPOOFED)])
        have = len(client.received)
        head = get("/a/c", "Transfer-Encoding: chunked", *SPOOFED).replace(b"GET", b"POST")
        body = b"7d0\r\n" + b"c" * 2000 + b"\r\n"
        client.write(head + body)
        world.clock.run(0.3)
        client.write(body * 9 + b"0\r\n\r\n")
        world.clock.run(30.0, lambda: client.got_fin)  # noqa: B023
        assert bytes(client.received[have:]) == response("/a/c", 0, 10 * len(body) + 5), f"seed {seed + round_}"
        assert_nobody_was_fooled(world, 2, f"seed {seed + round_}")
        assert heads(world)[-1].count(b"\r\nConnection: close") == 1
        client.shutdown()
        world.settle()


@pytest.mark.parametrize("agreed", [True, False], ids=["agreed", "refused"])
def test_an_upgrade_is_asked_for_in_an_edited_head(agreed: bool, seed: int) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    for round_ in range(6):
        world = edited_world(SHORTER, seed + round_, ROUGH, profile=SWITCH if round_ % 2 else HOST)
        client = world.client()
        if agreed:
            world.answers["/a/x"] = switched
        client.write(get("/a/x", *SPOOFED, "Connection: upgrade", "Upgrade: x"))
        first = switched if agreed else response("/a/x", 0)
        world.clock.run(30.0, lambda: len(client.received) >= len(first))  # noqa: B023
        world.clock.run(0.5)
        assert client.received == first, f"seed {seed + round_}"
        assert_nobody_was_fooled(world, 1, f"seed {seed + round_}")
        assert b"\r\nUpgrade: x" in heads(world)[0]
        client.write(get("/b/1", *SPOOFED))
        second = response("/b/1", 0 if agreed else 1)
        world.clock.run(30.0, lambda: len(client.received) >= len(first) + len(second))  # noqa: B023
        assert client.received == first + second, f"seed {seed + round_}"
        # What follows an agreement is no request any more, and goes where it went before.
        assert (b"6.6.6.6" in heads(world)[-1]) == agreed
        client.shutdown()
        world.settle()


def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    """It has sent nothing of its body when the head is acknowledged and edited."""
    world = edited_world(LONGER)
    peers: list[Peer] = []
    world.serve = peers.append
    client = world.client()
    client.write(post("/a/1", b"body", "Expect: 100-continue", *SPOOFED)[:-4])
    world.clock.run(1.0)
    [server] = peers
    assert server.received.endswith(b"\r\n\r\n") and b"\r\nExpect: 100-continue\r\n" in server.received
    server.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    world.clock.run(1.0)
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.write(b"body")
    world.clock.run(1.0)
    assert server.received.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("ambiguous", [("Connection: close", "Connection: keep-alive"), ("Connection: te, close",)])
def test_no_request_follows_where_servers_may_disagree_whether_one_can(ambiguous: tuple[str, ...]) -> None:
    """nginx goes by the last of several fields, others by the first, or by a whole value."""
    world = edited_world(LONGER)
    client = world.client()
    converse(world, client, [get("/b/1", *SPOOFED)])
    client.write(get("/a/1", *ambiguous, *SPOOFED) + get("/a/2", *SPOOFED))
    world.clock.run(30.0, lambda: client.got_fin)
    assert_nobody_was_fooled(world, 2)
    assert [line for line in heads(world)[-1].split(b"\r\n") if line.startswith(b"Connection")] == [
        b"Connection: close"
    ]
    client.shutdown()
    world.settle()


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
def test_a_tunnel_is_not_made_where_heads_are_edited(later: bool) -> None:
    """Many a server answers CONNECT with 200, as anything else, and takes what follows for requests."""
    world = edited_world(LONGER)
    client = world.client()
    if later:
        converse(world, client, [get("/b/1", *SPOOFED)])
    have = len(client.received)
    client.write(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/a/2", *SPOOFED))
    world.clock.run(30.0, lambda: client.got_fin)
    assert client.received[have:].startswith(b"HTTP/1.1 501 ")
    assert_nobody_was_fooled(world, int(later))
    client.shutdown()
    world.settle()
