"""Requests that the fast path sends on by itself: which ones, how many, and what the slow path makes of it later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from fastpath.profile import SWITCH
from slowpath.balancing.balancer import balancer
from slowpath.http.editing import HeadEdits
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import ListenerLimits
from slowpath.limiting.rate import Rate, RateLimit
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.recurrence import LIFETIME
from slowpath.splicing.sources import Snat
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, answered, converse, expected, get, post

ROUGH = Impairment(loss=0.02, duplication=0.05, reordering=0.1)
A, B = get("/a/1"), get("/b/1")
ALL = ("web", "a")


def followed(world: Routed) -> int:
    """Requests that have gone by precedents."""
    counted = world.fastpath.counters().followed
    assert sum(world.splicer.tally(world.fastpath.counters()).followed.values()) == sum(counted.values())
    return sum(counted.values())


def taught(world: Routed, request: bytes = A) -> Peer:
    """A client that has asked for the same thing until the fast path knew the answer."""
    client = world.client()
    converse(world, client, [request] * 3)
    return client


def test_the_third_of_a_kind_is_no_business_of_the_slow_path() -> None:
    world = Routed()
    client = taught(world)
    assert followed(world) == 0
    statistics = world.splicer.statistics
    before = statistics.packets_in, statistics.packets_out
    converse(world, client, [A] * 20)
    assert (statistics.packets_in, statistics.packets_out) == before
    assert followed(world) == 20
    assert world.splicer.tally(world.fastpath.counters()).requests == {ALL: 23}
    client.shutdown()
    world.settle()


def test_what_one_client_has_taught_holds_for_another() -> None:
    world = Routed()
    taught(world).shutdown()
    other = world.client(40001)
    converse(world, other, [A] * 5)
    assert followed(world) == 4
    other.shutdown()
    world.settle()


def test_it_is_asked_again_after_a_while() -> None:
    world = Routed()
    client = taught(world)
    world.clock.run(LIFETIME)
    before = world.splicer.statistics.packets_in
    converse(world, client, [A, A])
    assert (world.splicer.statistics.packets_in - before, followed(world)) == (1, 1)


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_the_next_request_may_go_elsewhere(after: int, delay: float) -> None:
    world = Routed()
    client = taught(world)
    world.delay = delay
    converse(world, client, [A] * after + [B, A, B])
    assert followed(world) == after
    client.shutdown()
    world.settle()


def test_pipelined_requests_are_not_followed_blindly() -> None:
    """The second of two goes through the slow path: nobody could say what was answered if a third goes elsewhere."""
    world = Routed()
    client = taught(world)
    world.delay = 0.2
    have = len(client.received)
    for request in (A, A, B):
        client.write(request)
        world.clock.run(0.01)
    world.clock.run(10.0, answered(client, have + len(expected([A, A, B]))))
    assert bytes(client.received[have:]) == expected([A, A, B])
    assert followed(world) == 1


def test_a_server_that_closes_between_requests_is_not_missed() -> None:
    world = Routed()
    world.idle_close = 0.7
    client = taught(world)
    converse(world, client, [A] * 3)
    world.clock.run(5.0)
    assert not client.got_fin
    converse(world, client, [A, B])
    assert len(world.applications) == 3
    client.shutdown()
    world.settle()


def test_a_connection_that_has_come_to_rest_goes_on_where_it_was() -> None:
    world = Routed(rest_after=0.1)
    client = taught(world)
    converse(world, client, [A] * 3)
    world.clock.run(1.0)
    assert world.splicer.resting_count == 1
    converse(world, client, [B, A])
    client.shutdown()
    world.settle()


def test_a_client_that_has_ended_its_side_gets_its_answer() -> None:
    world = Routed()
    client = taught(world)
    have = len(client.received)
    world.delay = 0.2
    client.write(A)
    client.shutdown()
    world.clock.run(5.0)
    assert bytes(client.received[have:]) == expected([A])
    assert client.got_fin
    world.settle()


def test_a_head_that_stalls_and_is_sent_again_whole_is_sent_once() -> None:
    """The beginning of a request is punted; meanwhile all of it passes, as a client sends it that has lost an ACK."""
    world = Routed()
    client = taught(world)
    have, count = len(client.received), len(world.requests)
    client.write(A[:10])
    world.clock.run(0.001)
    client._nxt = client._una
    client.write(A[10:])
    world.clock.run(5.0)
    assert bytes(client.received[have:]) == expected([A])
    assert len(world.requests) - count == 1
    converse(world, client, [A, B, A])
    client.shutdown()
    world.settle()


def _redirecting(world: Routed) -> None:
    world.splicer.replace([replace(world.service, router=Router([], {"b": 1}))])


def _draining(world: Routed) -> None:
    world.members[0].draining = True
    world.service.pools["a"].balancer = balancer("round_robin", world.members, world.random)
    world.splicer.revoke_precedents()


@pytest.mark.parametrize("change", [_redirecting, _draining])
def test_after_a_change_nothing_is_followed(change: Callable[[Routed], None]) -> None:
    world = Routed()
    client = taught(world)
    change(world)
    world.wake()
    have = len(client.received)
    client.write(A)
    world.clock.run(5.0)
    assert b"by 1" in client.received[have:]
    assert followed(world) == 0


def test_a_server_that_is_gone_gets_requests_for_a_lifetime_at_most() -> None:
    world = Routed()
    pool = world.service.pools["a"]
    client = taught(world)
    pool.balancer = balancer("round_robin", world.members, world.random)
    world.members[0].up = False
    world.clock.run(LIFETIME)
    have = len(client.received)
    client.write(A)
    world.clock.run(5.0)
    assert b"by 1" in client.received[have:]


# Those that have to be seen


def _limited(world: Routed) -> None:
    world.service.limits = ListenerLimits(request_rate=RateLimit(Rate(1000, 1000), ClientPrefix()))


def _limited_route(world: Routed) -> None:
    world.service.router = Router([Rule({"a": 1}, request_rate=RateLimit(Rate(1000, 1000), ClientPrefix()))], None)


def _split(world: Routed) -> None:
    world.service.pools = dict.fromkeys("ab", world.service.pools["a"])
    world.service.router = Router([], {"a": 1, "b": 1})


def _edited(world: Routed) -> None:
    edits = HeadEdits(hostname="b.example")
    world.service.router = Router([Rule({"b": 1}, path=Prefix("/b"), edits=edits)], {"a": 1})


def _by_source(world: Routed) -> None:
    pool = world.service.pools["a"]
    pool.balancer = balancer("source_hash", pool.members, world.random)


def _elsewhere(world: Routed) -> None:
    world.service.precedents = False


@pytest.mark.parametrize("why", [_limited, _limited_route, _split, _edited, _by_source, _elsewhere])
def test_what_has_to_be_seen_is_seen(why: Callable[[Routed], None]) -> None:
    world = Routed()
    why(world)
    client = world.client()
    converse(world, client, [A] * 10)
    assert followed(world) == 0
    assert sum(world.splicer.statistics.requests.values()) == 10


@pytest.mark.parametrize(
    "request_", [post("/a/1", b"body"), get("/a/1").replace(b"GET", b"OPTIONS"), get("/a/1", "X: " + "y" * 2048)]
)
def test_only_short_heads_of_get_are_followed(request_: bytes) -> None:
    world = Routed()
    client = world.client()
    converse(world, client, [request_] * 5)
    assert followed(world) == 0


def test_a_switch_follows_none() -> None:
    world = Routed(profile=SWITCH)
    client = world.client()
    converse(world, client, [A] * 5)
    assert followed(world) == 0


# All at once


class Visitor:
    """A client that asks for one thing after the other, thinks in between, and checks what it gets."""

    def __init__(self, world: Routed, port: int, random: Random) -> None:
        self.world, self.random = world, random
        self.peer = world.client(port)
        self.peer.on_data = self._take
        self.left = 40
        self._have, self._wanted = 0, b""
        self._ask()

    def _ask(self) -> None:
        if not self.left:
            self.peer.shutdown()
            return
        self.left -= 1
        kind = self.random.random()
        body = self.random.randbytes(self.random.choice((10, 4000)))
        request = A if kind < 0.6 else B if kind < 0.8 else get("/a/30000") if kind < 0.9 else post("/a/2", body)
        self._have, self._wanted = len(self.peer.received), expected([request])
        cut = self.random.choice((len(request), len(request), 20))
        self.peer.write(request[:cut])
        if cut < len(request):
            pause = self.random.choice((0.0, 0.01, 0.1))
            self.world.clock.at(self.world.clock.now + pause, lambda: self.peer.write(request[cut:]))

    def _take(self) -> None:
        got = bytes(self.peer.received[self._have :])
        assert self._wanted.startswith(got), (got[:80], self._wanted[:80])
        if got and got == self._wanted:
            self._have, self._wanted = len(self.peer.received), b""
            pause = self.random.choice((0.0, 0.0, 0.01, 0.3, 0.9))
            self.world.clock.at(self.world.clock.now + pause, self._ask)


@pytest.mark.parametrize("snat", [False, True], ids=["transparent", "snat"])
def test_many_on_a_rough_network(seed: int, snat: bool) -> None:
    world = Routed(seed, ROUGH, sources=Snat([bytes((10, 2, 0, 16))]) if snat else None)
    visitors = [Visitor(world, 40000 + index, Random(seed + index)) for index in range(4)]
    world.clock.run(900.0, lambda: all(visitor.peer.finished for visitor in visitors))
    assert [visitor.left for visitor in visitors] == [0] * 4
    assert not any(visitor.peer.was_reset for visitor in visitors)
    assert followed(world) > 10
    world.settle()
