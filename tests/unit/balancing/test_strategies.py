"""Round robin, least connections, and two random choices."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from slowpath.balancing.member import Member
from slowpath.balancing.strategies import LeastConnections, RandomTwo, RoundRobin
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint

NOTHING = Nothing()
CLIENT = Endpoint.parse("192.0.2.1:40000")


def pool(*weights: int) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), weight) for i, weight in enumerate(weights)]


def pick(strategy: RoundRobin | LeastConnections | RandomTwo, *tried: int) -> int:
    member = strategy.pick(CLIENT, NOTHING, tried)
    assert member is not None
    return member.id


def test_round_robin_takes_turns() -> None:
    strategy = RoundRobin(pool(1, 1, 1))
    assert [pick(strategy) for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_round_robin_by_weight() -> None:
    strategy = RoundRobin(pool(5, 1, 1))
    assert [pick(strategy) for _ in range(7)] == [0, 0, 1, 0, 2, 0, 0]


def test_round_robin_around_a_member_that_is_down_and_back() -> None:
    members = pool(1, 1, 1)
    strategy = RoundRobin(members)
    members[1].up = False
    assert Counter(pick(strategy) for _ in range(10)) == {0: 5, 2: 5}
    members[1].up = True
    assert Counter(pick(strategy) for _ in range(9)) == {0: 3, 1: 3, 2: 3}


def test_least_connections_per_weight() -> None:
    members = pool(1, 2, 4)
    for member, connections in zip(members, (2, 3, 7), strict=True):
        member.connections = connections
    strategy = LeastConnections(members)
    assert pick(strategy) == 1
    assert pick(strategy, 1) == 2
    assert pick(strategy, 1, 2) == 0


def test_least_connections_fills_up_in_proportion() -> None:
    members = pool(1, 2, 3)
    strategy = LeastConnections(members)
    for done in range(1, 61):
        members[pick(strategy)].connections += 1
        for member in members:
            assert abs(member.connections - done * member.weight / 6) <= 1
    assert [member.connections for member in members] == [10, 20, 30]


def test_least_connections_takes_turns_among_equals() -> None:
    strategy = LeastConnections(pool(2, 1, 1))
    assert Counter(pick(strategy) for _ in range(8)) == {0: 4, 1: 2, 2: 2}


def test_random_two_is_random_by_weight_while_loads_are_equal() -> None:
    strategy = RandomTwo(pool(1, 2, 5), Random(7))
    shares = Counter(pick(strategy) for _ in range(8000))
    assert [shares[i] / 1000 for i in range(3)] == pytest.approx([1, 2, 5], abs=0.15)


def test_random_two_prefers_the_less_loaded_of_any_two() -> None:
    members = pool(1, 1)
    members[0].connections = 1
    strategy = RandomTwo(members, Random(7))
    assert {pick(strategy) for _ in range(50)} == {1}
    members.append(Member(2, Endpoint.parse("10.2.0.3:80"), connections=2))
    assert {pick(strategy) for _ in range(200)} == {0, 1}


def test_random_two_keeps_loads_closer_than_one_choice_would() -> None:
    members = pool(*[1] * 20)
    strategy = RandomTwo(members, Random(7))
    for _ in range(20_000):
        members[pick(strategy)].connections += 1
    loads = [member.connections for member in members]
    assert max(loads) - min(loads) <= 10

    draws = Counter(Random(7).choices(range(20), k=20_000))
    assert max(draws.values()) - min(draws.values()) > 50


def test_random_two_with_the_same_seed_picks_the_same() -> None:
    first, second = (RandomTwo(pool(1, 2, 3), Random(3)) for _ in range(2))
    assert [pick(first) for _ in range(50)] == [pick(second) for _ in range(50)]
