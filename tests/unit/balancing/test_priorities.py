"""Priorities and backups: one group of servers at a time."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowpath.balancing.balancer import STRATEGIES, balancer
from slowpath.balancing.member import Balancer, Member
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint

CLIENT, NOTHING = Endpoint.parse("192.0.2.1:40000"), Nothing()
every_strategy = pytest.mark.parametrize("name", sorted(STRATEGIES))


def pool(*ranks: int) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), rank=rank) for i, rank in enumerate(ranks)]


def used(strategy: Balancer, tried: Collection[int] = ()) -> set[int]:
    members = [strategy.pick(Endpoint(bytes((192, 0, 2, i)), 1000 + i), NOTHING, tried) for i in range(60)]
    return {member.id for member in members if member is not None}


@every_strategy
def test_a_group_is_used_when_all_before_it_are_away(name: str) -> None:
    members = pool(1, 0, 1, 0, 100)
    strategy = balancer(name, members, Random(1))
    assert used(strategy) == {1, 3}
    members[1].up = False
    assert used(strategy) == {3}
    members[3].draining = True
    assert used(strategy) == {0, 2}
    members[0].ejected = True
    members[2].weight = 0
    assert used(strategy) == {4}
    members[4].up = False
    assert used(strategy) == set()
    members[3].draining = False
    assert used(strategy) == {3}


@every_strategy
def test_a_retry_goes_to_the_next_group(name: str) -> None:
    strategy = balancer(name, pool(0, 0, 5), Random(1))
    assert used(strategy, {0, 1}) == {2}


@every_strategy
def test_a_full_group_is_waited_for(name: str) -> None:
    members = pool(0, 0, 5)
    for member in members[:2]:
        member.max_connections = member.connections = 3
    assert used(balancer(name, members, Random(1))) <= {0, 1}


def test_requests_leave_the_backup_when_a_better_server_is_back() -> None:
    members = pool(0, 100)
    strategy = balancer("round_robin", members, Random(1))
    assert [strategy.stays(CLIENT, member, NOTHING) for member in members] == [True, False]
    members[0].up = False
    assert [strategy.stays(CLIENT, member, NOTHING) for member in members] == [False, True]
    members[1].up = False
    assert not any(strategy.stays(CLIENT, member, NOTHING) for member in members)


@every_strategy
@settings(max_examples=25, deadline=None)  # The tables of maglev take a while.
@given(states=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=7))
def test_always_the_best_group_that_is_there(name: str, states: list[tuple[int, bool]]) -> None:
    members = [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), rank=rank, up=up) for i, (rank, up) in enumerate(states)]
    picked = balancer(name, members, Random(1)).pick(CLIENT, NOTHING)
    best = min((rank for rank, up in states if up), default=None)
    assert (picked and picked.rank) == best
