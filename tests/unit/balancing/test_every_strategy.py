"""What holds for every balancing strategy."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowpath.balancing.balancer import STRATEGIES, balancer
from slowpath.balancing.member import Member
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint

NOTHING = Nothing()
CLIENT = Endpoint.parse("192.0.2.1:40000")
CLIENTS = st.builds(
    Endpoint, st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16), st.integers(0, 65535)
)
every_strategy = pytest.mark.parametrize("name", sorted(STRATEGIES))


def pool(size: int) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80")) for i in range(size)]


def test_the_names() -> None:
    assert set(STRATEGIES) == {"round_robin", "least_connections", "random_two", "source_hash", "maglev"}


def test_an_unknown_name() -> None:
    with pytest.raises(ValueError, match="'best': one of round_robin, least_connections, random_two"):
        balancer("best", [], Random(1))


@every_strategy
def test_no_members(name: str) -> None:
    assert balancer(name, [], Random(1)).pick(CLIENT, NOTHING) is None


@every_strategy
def test_a_single_member(name: str) -> None:
    (only,) = members = pool(1)
    assert balancer(name, members, Random(1)).pick(CLIENT, NOTHING) is only


@every_strategy
def test_a_member_without_weight_gets_nothing(name: str) -> None:
    members = pool(2)
    members[0].weight = 0
    strategy = balancer(name, members, Random(1))
    assert {strategy.pick(Endpoint(b"addr", port), NOTHING) for port in range(50)} == {members[1]}
    assert strategy.pick(CLIENT, NOTHING, (members[1].id,)) is None


@every_strategy
def test_state_is_read_at_every_pick(name: str) -> None:
    members = pool(3)
    strategy = balancer(name, members, Random(1))
    for member in members:
        assert strategy.pick(CLIENT, NOTHING) is not None
        member.up = False
    assert strategy.pick(CLIENT, NOTHING) is None
    members[1].up = True
    assert strategy.pick(CLIENT, NOTHING) is members[1]
    members[1].draining = True
    assert strategy.pick(CLIENT, NOTHING) is None


@every_strategy
def test_retries_reach_every_member_once(name: str) -> None:
    members = pool(5)
    strategy = balancer(name, members, Random(1))
    tried: list[int] = []
    while (member := strategy.pick(CLIENT, NOTHING, tried)) is not None:
        tried.append(member.id)
    assert sorted(tried) == [0, 1, 2, 3, 4]


MEMBER_STATES = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 5)), min_size=1, max_size=6
)


@every_strategy
@settings(max_examples=25, deadline=None)
@given(MEMBER_STATES, st.sets(st.integers(0, 5)), st.lists(CLIENTS, min_size=1, max_size=5))
def test_only_members_that_are_available_and_not_tried(
    name: str, states: list[tuple[int, bool, bool, int]], tried: set[int], clients: list[Endpoint]
) -> None:
    members = [
        Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), weight, up, draining=draining, connections=connections)
        for i, (weight, up, draining, connections) in enumerate(states)
    ]
    allowed = {m.id for m in members if m.up and not m.draining and m.weight > 0} - tried
    strategy = balancer(name, members, Random(1))
    for client in clients:
        member = strategy.pick(client, NOTHING, tried)
        assert member is None if not allowed else member is not None and member.id in allowed
