"""Sticky sessions by a cookie of the application."""

from __future__ import annotations

from random import Random

import pytest

from slowpath.balancing.balancer import STRATEGIES, balancer
from slowpath.balancing.member import Balancer, Member
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint
from tests.unit.balancing.requests import request

CLIENT = Endpoint.parse("192.0.2.1:40000")


def pool(size: int = 3) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), name=f"s{i}") for i in range(size)]


def sticky(members: list[Member], name: str = "round_robin") -> Balancer:
    return balancer(name, members, Random(1), sticky="ROUTE")


def picks(strategy: Balancer, *fields: str, count: int = 6) -> list[int]:
    members = [strategy.pick(CLIENT, request(*fields)) for _ in range(count)]
    return [member.id for member in members if member is not None]


@pytest.mark.parametrize(
    "field",
    [
        "Cookie: ROUTE=s1",
        "Cookie: a=b; ROUTE=s1; c=d",
        "Cookie: a=b;ROUTE=s1",
        "Cookie:  ROUTE = s1 ; x",
        'Cookie: ROUTE="s1"',
        "Cookie: ROUTE=0123ABCD.s1",
        "Cookie: ROUTE=01.23.s1",
        "Cookie: ROUTE=s1.0123",
        "Cookie: ROUTE=s1~0123.s9",
        "Cookie: junk; ;=; =s2; ROUTE=s1",
        "Cookie: ROUTE=nobody; ROUTE=s1",
    ],
)
def test_a_cookie_that_names_a_server(field: str) -> None:
    assert set(picks(sticky(pool()), field)) == {1}


@pytest.mark.parametrize(
    "field",
    ["Cookie: route=s1", "Cookie: ROUTE=s11", "Cookie: ROUTE=s1=", "Cookie: ROUTE=xs1", "Cookie: ROUTE=", "X: s1"],
)
def test_a_cookie_that_names_none(field: str) -> None:
    assert picks(sticky(pool()), field) == [0, 1, 2, 0, 1, 2]


def test_cookies_in_several_fields() -> None:
    assert set(picks(sticky(pool()), "Cookie: a=b", "Cookie: ROUTE=s2")) == {2}


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_over_every_strategy(name: str) -> None:
    strategy = sticky(pool(), name)
    assert set(picks(strategy, "Cookie: ROUTE=s2")) == {2}
    assert len(picks(strategy)) == 6
    assert strategy.pick(CLIENT, Nothing()) is not None


def test_a_session_stays_with_a_server_that_drains_or_has_no_weight() -> None:
    members = pool()
    strategy = sticky(members)
    members[1].draining = True
    members[2].weight = 0
    assert set(picks(strategy, "Cookie: ROUTE=s1")) == {1}
    assert set(picks(strategy, "Cookie: ROUTE=s2")) == {2}
    assert set(picks(strategy)) == {0}


@pytest.mark.parametrize("state", ["up", "ejected"])
def test_the_sessions_of_a_server_that_is_gone_are_balanced(state: str) -> None:
    members = pool()
    setattr(members[1], state, state == "ejected")
    strategy = sticky(members)
    assert picks(strategy, "Cookie: ROUTE=s1") == [0, 2, 0, 2, 0, 2]


def test_a_retry_is_balanced() -> None:
    members = pool()
    member = sticky(members).pick(CLIENT, request("Cookie: ROUTE=s1"), {1})
    assert member is members[0]


def test_a_session_waits_for_its_server() -> None:
    members = pool()
    members[1].max_connections = members[1].connections = 1
    strategy = sticky(members)
    assert set(picks(strategy, "Cookie: ROUTE=s1")) == {1}
    assert picks(strategy) == [0, 2, 0, 2, 0, 2]


def test_requests_move_to_the_server_that_their_cookie_names() -> None:
    members = pool()
    strategy = sticky(members)
    asked = request("Cookie: ROUTE=s1")
    assert [strategy.stays(CLIENT, member, asked) for member in members] == [False, True, False]
    assert all(strategy.stays(CLIENT, member, request()) for member in members)
    members[1].draining = True
    assert strategy.stays(CLIENT, members[1], asked)
    assert not strategy.stays(CLIENT, members[1], request())
    members[1].up = False
    assert strategy.stays(CLIENT, members[0], asked)
