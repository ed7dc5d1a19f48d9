"""Balancing by a part of the request."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowpath.balancing.balancer import balancer
from slowpath.balancing.keys import Part, RequestHash
from slowpath.balancing.member import Balancer, Member
from slowpath.request import Nothing, Request
from slowpath.wire.endpoint import Endpoint
from tests.unit.balancing.requests import request

CLIENTS = [Endpoint(bytes((192, 0, 2, i)), 40000 + i) for i in range(50)]
HEADER, COOKIE, PATH = RequestHash(Part.HEADER, "X-User"), RequestHash(Part.COOKIE, "user"), RequestHash(Part.PATH)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='";,\\'), min_size=1)


def pool(size: int) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80")) for i in range(size)]


def of(key: RequestHash, value: str) -> Request:
    """A request in which `key` finds `value`."""
    if key.part is Part.HEADER:
        return request(f"{key.name}: {value}")
    return request(f"Cookie: a=b; {key.name}={value}") if key.part is Part.COOKIE else request(path=f"/{value}")


def place(strategy: Balancer, asked: Request, client: Endpoint = CLIENTS[0]) -> int:
    member = strategy.pick(client, asked)
    assert member is not None
    return member.id


every_key = pytest.mark.parametrize("key", [HEADER, COOKIE, PATH], ids=str)


@every_key
def test_the_same_value_is_the_same_server_whoever_asks(key: RequestHash) -> None:
    strategy = balancer(key, pool(5), Random(1))
    for value in map(str, range(20)):
        assert len({place(strategy, of(key, value), client) for client in CLIENTS}) == 1


@every_key
def test_values_are_spread(key: RequestHash) -> None:
    strategy = balancer(key, pool(4), Random(1))
    shares = Counter(place(strategy, of(key, f"v{i}")) for i in range(2000))
    assert [shares[i] for i in range(4)] == pytest.approx([500] * 4, rel=0.15)


@pytest.mark.parametrize("key", [HEADER, COOKIE], ids=str)
def test_without_a_value_the_clients_address_decides(key: RequestHash) -> None:
    by_value, by_address = balancer(key, pool(5), Random(1)), balancer("source_hash", pool(5), Random(1))
    for client in CLIENTS:
        assert place(by_value, request("Cookie: other=1"), client) == place(by_address, Nothing(), client)


def test_a_connection_without_requests_goes_by_the_clients_address() -> None:
    by_path, by_address = balancer(PATH, pool(5), Random(1)), balancer("source_hash", pool(5), Random(1))
    assert all(place(by_path, Nothing(), client) == place(by_address, Nothing(), client) for client in CLIENTS)


def test_the_query_does_not_count() -> None:
    strategy = balancer(PATH, pool(50), Random(1))
    assert place(strategy, request(path="/a?b=1")) == place(strategy, request(path="/a?b=2"))
    assert place(strategy, request(path="/a")) != place(strategy, request(path="/b"))


def test_several_values_of_a_header_count_as_one() -> None:
    strategy = balancer(HEADER, pool(50), Random(1))
    assert place(strategy, request("X-User: a", "x-user: b")) == place(strategy, request("X-USER: a, b"))


@settings(max_examples=50)
@given(st.sets(VALUES, min_size=1, max_size=30), st.integers(0, 5))
def test_a_server_that_goes_moves_its_own_values_only(values: set[str], gone: int) -> None:
    members = pool(6)
    strategy = balancer(HEADER, members, Random(1))
    before = {value: place(strategy, of(HEADER, value)) for value in values}
    members[gone].up = False
    after = {value: place(strategy, of(HEADER, value)) for value in values}
    assert all(after[value] == home for value, home in before.items() if home != gone)
    members[gone].up = True
    assert {value: place(strategy, of(HEADER, value)) for value in values} == before


def test_a_request_stays_where_its_value_belongs() -> None:
    members = pool(3)
    strategy = balancer(HEADER, members, Random(1))
    for value in map(str, range(30)):
        asked = of(HEADER, value)
        home = place(strategy, asked)
        assert [strategy.stays(CLIENTS[0], member, asked) for member in members] == [i == home for i in range(3)]


def test_a_full_server_is_passed_over_but_kept_by_those_who_are_there() -> None:
    members = pool(3)
    strategy = balancer(HEADER, members, Random(1))
    asked = of(HEADER, "x")
    home = members[place(strategy, asked)]
    home.max_connections = home.connections = 1
    other = members[place(strategy, asked)]
    assert other is not home
    assert strategy.stays(CLIENTS[0], home, asked)
    assert strategy.stays(CLIENTS[0], other, asked)
    home.connections = 0
    assert not strategy.stays(CLIENTS[0], other, asked)


def test_the_names_of_keys() -> None:
    assert [str(key) for key in (HEADER, COOKIE, PATH)] == [
        "hash of header X-User",
        "hash of cookie user",
        "hash of path",
    ]
