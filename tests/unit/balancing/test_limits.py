"""max_connections: full servers get nothing as long as another has room."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowpath.balancing.balancer import STRATEGIES, balancer
from slowpath.balancing.member import UNLIMITED, Member
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint

NOTHING = Nothing()
LIMITS = st.lists(st.integers(1, 6) | st.just(UNLIMITED), min_size=1, max_size=5)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@settings(max_examples=25, deadline=None)  # The table of maglev takes a while.
@given(limits=LIMITS, arrivals=st.integers(1, 25))
def test_no_server_gets_more_and_none_waits_for_nothing(name: str, limits: list[int], arrivals: int) -> None:
    members = [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80"), max_connections=n) for i, n in enumerate(limits)]
    strategy = balancer(name, members, Random(1))
    for number in range(arrivals):
        member = strategy.pick(Endpoint(bytes((192, 0, 2, number)), 1000 + number), NOTHING)
        assert member is not None
        if member.full:
            assert all(each.full for each in members)
        else:
            member.connections += 1
    assert sum(member.connections for member in members) == min(arrivals, sum(limits))


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_full_server_keeps_its_connections(name: str) -> None:
    member = Member(0, Endpoint.parse("10.2.0.1:80"), max_connections=1, connections=1)
    strategy = balancer(name, [member], Random(1))
    assert strategy.stays(Endpoint.parse("192.0.2.1:40000"), member, NOTHING)
    member.draining = True
    assert not strategy.stays(Endpoint.parse("192.0.2.1:40000"), member, NOTHING)
