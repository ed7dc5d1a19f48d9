"""Turns that are given away before the connections are there."""

from __future__ import annotations

from random import Random

import pytest

from slowpath.balancing.balancer import balancer
from slowpath.balancing.keys import Part, RequestHash
from slowpath.balancing.member import Member
from slowpath.wire.endpoint import Endpoint


def members(*weights: int, **changes: int) -> list[Member]:
    return [
        Member(number, Endpoint.parse(f"10.2.0.{number + 2}:80"), weight, **changes)  # type: ignore[arg-type]
        for number, weight in enumerate(weights)
    ]


def ids(picked: list[Member]) -> list[int]:
    return [member.id for member in picked]


@pytest.mark.parametrize(
    ("weights", "count", "shares"),
    [
        ((1,), 16, [16]),
        ((1, 1, 1), 16, [5, 5, 5]),
        ((1, 3), 16, [4, 12]),
        ((1, 16), 16, [1, 15]),
        ((5, 5, 0), 16, [5, 5, 0]),
    ],
)
def test_they_are_whole_rounds_where_one_fits(weights: tuple[int, ...], count: int, shares: list[int]) -> None:
    picked = ids(balancer("round_robin", members(*weights), Random(0)).turns(count))
    assert [picked.count(number) for number in range(len(weights))] == shares


def test_they_are_those_that_connections_would_have_got() -> None:
    one, other = (balancer("round_robin", members(1, 2, 2), Random(0)) for _ in range(2))
    client = Endpoint.parse("10.1.0.2:40000")
    picked = [other.pick(client, None) for _ in range(15)]  # type: ignore[arg-type]
    assert ids(one.turns(16)) == [member.id for member in picked if member is not None]


def test_nobody_has_one_whom_connections_do_not_go_to() -> None:
    group = members(1, 1, 1)
    group[0].up, group[1].draining = False, True
    assert set(ids(balancer("round_robin", group, Random(0)).turns(16))) == {2}
    group[2].ejected = True
    assert balancer("round_robin", group, Random(0)).turns(16) == []


def test_of_several_ranks_the_best_one_has_them() -> None:
    group = members(1, 1, 1)
    group[1].rank = group[2].rank = 1
    chosen = balancer("round_robin", group, Random(0))
    assert set(ids(chosen.turns(16))) == {0}
    group[0].up = False
    assert set(ids(chosen.turns(16))) == {1, 2}
    group[1].up = group[2].up = False
    assert chosen.turns(16) == []


@pytest.mark.parametrize(
    "strategy", ["least_connections", "random_two", "source_hash", "maglev", RequestHash(Part.PATH, "")]
)
def test_where_they_cannot_be_known_there_are_none(strategy: str | RequestHash) -> None:
    assert balancer(strategy, members(1, 1), Random(0)).turns(16) == []


def test_a_cookie_may_name_another() -> None:
    assert balancer("round_robin", members(1, 1), Random(0), sticky="id").turns(16) == []


@pytest.mark.parametrize(
    ("strategy", "sticky", "regards"),
    [
        ("round_robin", None, False),
        ("least_connections", None, False),
        ("random_two", "id", False),
        ("source_hash", None, True),
        ("source_hash", "id", True),
        ("maglev", None, True),
    ],
)
def test_who_regards_clients(strategy: str, sticky: str | None, regards: bool) -> None:
    group = members(1, 1, 1)
    assert balancer(strategy, group, Random(0), sticky=sticky).regards_clients is regards
    group[0].rank = 1
    assert balancer(strategy, group, Random(0), sticky=sticky).regards_clients is regards
