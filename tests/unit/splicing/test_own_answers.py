"""Redirects and fixed responses over the balancer's own TCP, for first and for later requests of a connection."""

from __future__ import annotations

from random import Random

import pytest

from slowpath.http.answers import Answer
from slowpath.http.editing import HeadEdits, Identity
from slowpath.http.replies import Fixed, Redirect
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.service import Timeouts
from tests.simulation.network import Impairment
from tests.simulation.requests import Routed, expected, get, post
from tests.simulation.world import World

ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)
PAGE = Random(1).randbytes(16384)
PATIENT = Timeouts(answer=120.0)
RULES = [
    Rule(path=Prefix("/page"), reply=Fixed(Answer(200, (), PAGE))),
    Rule(path=Prefix("/moved"), reply=Redirect(301, scheme="https")),
]


def replying_world(*arguments: object, edits: HeadEdits | None = None) -> Routed:
    world = Routed(*arguments, timeouts=PATIENT)  # type: ignore[arg-type]
    world.service.router = Router([*RULES, Rule({"b": 1}, path=Prefix("/b"), edits=edits)], {"a": 1}, edits)
    return world


@pytest.mark.parametrize("impairment", [Impairment(), ROUGH], ids=["clean", "rough"])
def test_a_large_response_arrives_whole(impairment: Impairment, seed: int) -> None:
    world = replying_world(seed, impairment)
    client = world.client()
    client.write(get("/page"))
    world.clock.run(120.0, lambda: client.got_fin or client.was_reset)
    assert client.received.partition(b"\r\n\r\n")[2] == PAGE
    client.shutdown()
    world.settle()
    assert client.finished and not world.server_side


def test_head_has_no_body() -> None:
    world = replying_world()
    client = world.client()
    client.write(b"HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n")
    world.clock.run(5.0, lambda: client.got_fin)
    assert client.received == b"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\nConnection: close\r\n\r\n"


def test_a_client_that_is_still_sending_gets_its_redirect(seed: int) -> None:
    for round_ in range(5):
        world = replying_world(seed + round_, ROUGH)
        client = world.client()
        client.write(post("/moved", bytes(30_000)))
        world.clock.run(30.0)
        assert client.received.startswith(b"HTTP/1.1 301 "), f"seed {seed + round_}"
        assert b"\r\nLocation: https://a/moved\r\n" in client.received
        client.shutdown()
        world.settle()
    assert world.splicer.statistics.responses == {("web", 301): 1}


@pytest.mark.parametrize("edits", [None, HeadEdits([Identity.X_REAL_IP])], ids=["unedited", "edited"])
@pytest.mark.parametrize("impairment", [Impairment(), ROUGH], ids=["clean", "rough"])
def test_a_reply_comes_after_the_responses_to_earlier_requests(
    impairment: Impairment, edits: HeadEdits | None, seed: int
) -> None:
    world = replying_world(seed, impairment, edits=edits)
    client = world.client()
    requests = [get("/a/3000"), get("/b/5000"), get("/a/10")]
    client.write(b"".join(requests) + get("/moved?x"))
    world.clock.run(300.0, lambda: client.got_fin or client.was_reset)
    served = expected(requests)
    assert client.received[: len(served)] == served
    assert client.received[len(served) :].startswith(
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://a/moved?x\r\n"
    )
    client.shutdown()
    world.settle()


def test_a_connection_on_which_nothing_was_said_is_closed_without_a_session(seed: int) -> None:
    for round_ in range(10):
        world = World(seed + round_, Impairment(loss=0.2, duplication=0.1, reordering=0.1))
        clients = [world.client(40000 + port) for port in range(20)]
        world.clock.run(20.0, lambda clients=clients: all(client.established for client in clients))  # type: ignore[misc]
        for client in clients:
            client.shutdown()
        world.clock.run(0.1)
        assert world.splicer.connection_count == 0
        world.clock.run(120.0)
        assert all(client.got_fin and client.fin_acked for client in clients), f"seed {seed + round_}"
