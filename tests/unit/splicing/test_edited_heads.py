"""Servers that get more, or less, than the client sent: header edits and the PROXY protocol, over a rough network."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.http.editing import FieldEdits, HeadEdits, Identity, edited
from slowpath.http.head import HeadReader
from slowpath.proxy_protocol import Version, header
from slowpath.routing.router import Router
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Snat
from slowpath.wire.endpoint import Endpoint
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.world import SERVERS, VIP, World

ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)
LIMIT = 16384
COOKIE = b"c" * 3000
GET = b"GET /thing HTTP/1.1\r\nHost: www.example.com\r\nCookie: " + COOKIE + b"\r\n\r\n"
LONGER = HeadEdits([Identity.X_FORWARDED_FOR], fields=[FieldEdits(set={"x-filler": "f" * 4000})])
SHORTER = HeadEdits([Identity.X_FORWARDED_FOR], fields=[FieldEdits(remove=frozenset({"cookie"}))])
SAME = HeadEdits()


def world_with(edits: HeadEdits | None, *arguments: object, proxy: Version | None = None, **options: object) -> World:
    world = World(*arguments, **options)  # type: ignore[arg-type]
    world.service.router = Router([], {"web": 1}, edits)
    world.service.pools["web"].proxy_protocol = proxy
    return world


def delivered(request: bytes, edits: HeadEdits | None, client: Endpoint, proxy: Version | None = None) -> bytes:
    """What the server is to get for `request`, whose body it holds, too."""
    head = HeadReader(LIMIT).feed(request)
    assert head is not None
    body = request[head.length :]
    preamble = header(proxy, client, VIP) if proxy else b""
    kept = request[: head.length]
    return preamble + (kept if edits is None else edited(kept, head, edits, client)) + body


def respond(expected: int, size: int, *, at_once: bool = False) -> Callable[[Peer], None]:
    """A server that answers `expected` bytes, or the first of them, with `size` bytes, and closes after the client."""

    def serve(peer: Peer) -> None:
        answered = False

        def on_data() -> None:
            nonlocal answered
            if not answered and len(peer.received) >= (1 if at_once else expected):
                answered = True
                peer.write(Random(size).randbytes(size))
            if peer.got_fin:
                peer.shutdown()

        peer.on_data = on_data

    return serve


def exchange(world: World, request: bytes, expected: bytes, size: int, *, at_once: bool = False, why: str = "") -> None:
    """One request and its response, and a close by the client; each side gets what it should, and nothing stays."""
    world.serve = respond(len(expected), size, at_once=at_once)
    client = world.clients[Endpoint(bytes((10, 1, 0, 2)), 40000)]
    client.write(request)
    world.clock.run(600.0, lambda: len(client.received) >= size or client.was_reset)
    assert client.received == Random(size).randbytes(size), why
    client.shutdown()
    world.clock.run(120.0)
    [server] = world.server_side.values()
    assert server.received == expected, why
    assert client.finished and server.finished, why
    assert (world.records, len(world.splicer.connections())) == (0, 0), why


@pytest.mark.parametrize("edits", [LONGER, SHORTER, SAME, None], ids=["longer", "shorter", "same", "unedited"])
@pytest.mark.parametrize("proxy", [None, Version.V1, Version.V2], ids=["plain", "v1", "v2"])
@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
def test_servers_get_what_was_edited(edits: HeadEdits | None, proxy: Version | None, snat: bool, seed: int) -> None:
    for round_ in range(8):
        sources = Snat([bytes((10, 2, 0, 16))]) if snat else None
        profile = SWITCH if round_ % 2 else HOST
        world = world_with(edits, seed + round_, ROUGH, proxy=proxy, sources=sources, profile=profile)
        client = world.client(iss=2**32 - 2000 if round_ % 3 == 0 else None)
        expected = delivered(GET, edits, client.local, proxy)
        exchange(world, GET, expected, 30_000, why=f"seed {seed + round_}")


@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
@pytest.mark.parametrize("edits", [LONGER, SHORTER], ids=["longer", "shorter"])
def test_an_upload_behind_an_edited_head_arrives_whole(edits: HeadEdits, profile: Profile, seed: int) -> None:
    request = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 60000\r\n\r\n")
    request += Random(7).randbytes(60_000)
    for round_ in range(8):
        world = world_with(edits, seed + round_, ROUGH, profile=profile, proxy=Version.V2)
        client = world.client()
        expected = delivered(request, edits, client.local, Version.V2)
        exchange(world, request, expected, 500, why=f"seed {seed + round_}")


@pytest.mark.parametrize("impairment", [Impairment(), ROUGH], ids=["clean", "rough"])
def test_a_head_as_long_as_it_may_be_in_pieces(impairment: Impairment, seed: int) -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (LIMIT - 32) + b"\r\n\r\n"
    assert len(request) == LIMIT
    for round_ in range(5):
        world = world_with(LONGER, seed + round_, impairment, proxy=Version.V1)
        client = world.client()
        expected = delivered(request, LONGER, client.local, Version.V1)
        for start in range(0, LIMIT - 1000, 1000):
            client.write(request[start : start + 1000])
            world.clock.run(0.1)
        exchange(world, request[start + 1000 :], expected, 2000, why=f"seed {seed + round_}")


def test_a_server_that_answers_before_it_has_the_whole_head(seed: int) -> None:
    """Its replies wait for the splice, which waits for the last byte of ours."""
    for impairment in (Impairment(), ROUGH):
        for round_ in range(8):
            world = world_with(LONGER, seed + round_, impairment)
            client = world.client()
            expected = delivered(GET, LONGER, client.local)
            exchange(world, GET, expected, 20_000, at_once=True, why=f"seed {seed + round_}")


def test_a_client_that_closes_its_side_right_behind_the_head(seed: int) -> None:
    """We acknowledge the head but not the FIN, which stays the client's to deliver."""
    for impairment in (Impairment(), ROUGH):
        for round_ in range(8):
            world = world_with(SHORTER, seed + round_, impairment)
            client = world.client()
            expected = delivered(GET, SHORTER, client.local)
            world.serve = respond(len(expected), 5000)
            client.write(GET)
            client.shutdown()
            world.clock.run(120.0)
            [server] = world.server_side.values()
            assert server.received == expected and server.got_fin, f"seed {seed + round_}"
            assert client.received == Random(5000).randbytes(5000), f"seed {seed + round_}"
            assert client.finished and server.finished, f"seed {seed + round_}"


def test_the_next_server_gets_the_same() -> None:
    world = world_with(LONGER, proxy=Version.V1)
    world.refusing = {SERVERS[0]}
    client = world.client()
    exchange(world, GET, delivered(GET, LONGER, client.local, Version.V1), 1000)
    assert world.splicer.statistics.connect_failures == {("web", "refused"): 1}


def test_a_client_whose_head_is_ours_still_gets_an_answer_if_no_server_does() -> None:
    world = world_with(LONGER)
    world.refusing = set(SERVERS)
    client = world.client()
    client.write(GET)
    world.clock.run(5.0, lambda: client.got_fin)
    assert client.received.startswith(b"HTTP/1.1 502 ")
    client.shutdown()
    world.clock.run(30.0)
    assert client.fin_acked and not world.splicer.connections()


def test_the_proxy_header_alone_leaves_the_clients_bytes_to_the_client() -> None:
    """Nothing is acknowledged that was not changed."""
    world = world_with(None, proxy=Version.V2)
    world.dead = set(SERVERS)
    world.client().write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    world.clock.run(0.1)
    [session] = world.splicer.connections()
    assert isinstance(session, Session)
    assert (session.owned, session.inserted) == (0, 28)
