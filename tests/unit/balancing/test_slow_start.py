"""Slow start: a server that comes up is given more little by little."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.balancing import slow_start
from slowpath.balancing.balancer import STRATEGIES, balancer
from slowpath.balancing.member import Member
from slowpath.request import Nothing
from slowpath.splicing.service import Pool
from slowpath.wire.endpoint import Endpoint

NOTHING = Nothing()
CLIENTS = [Endpoint(bytes((192, 0, 2 + i // 256, i % 256)), 30_000 + i) for i in range(6000)]


def pool(size: int = 3) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.0.{i + 1}:80")) for i in range(size)]


@pytest.mark.parametrize(("age", "ramp"), [(-1, 0.1), (0, 0.1), (10, 0.4), (20, 0.7), (30, 1.0), (1000, 1.0)])
def test_the_ramp(age: float, ramp: float) -> None:
    [member] = pool(1)
    member.up_since = 100.0
    slow_start.advance([member], 30.0, 100.0 + age)
    assert member.ramp == pytest.approx(ramp)
    assert (member.up_since is None) == (ramp == 1.0)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=10).map(sorted))
def test_the_ramp_only_rises(times: list[float]) -> None:
    [member] = pool(1)
    member.up_since = 0.0
    ramps = []
    for now in times:
        slow_start.advance([member], 50.0, now)
        ramps.append(member.ramp)
    assert ramps == sorted(ramps)
    assert all(slow_start.FIRST_RAMP <= ramp <= 1 for ramp in ramps)


def test_a_newcomer_starts_when_it_is_up() -> None:
    [member] = pool(1)
    member.up = False
    slow_start.hold_back(member)
    slow_start.advance([member], 10.0, 50.0)
    assert member.up_since is None
    member.up = True
    for now, ramp in ((60.0, 0.1), (65.0, 0.55), (70.0, 1.0), (90.0, 1.0)):
        slow_start.advance([member], 10.0, now)
        assert member.ramp == pytest.approx(ramp)


@pytest.mark.parametrize("name", ["round_robin", "source_hash", "maglev"])
def test_shares_follow_the_ramp(name: str) -> None:
    members = pool()
    web = Pool("web", members, balancer(name, members, Random(1)), slow_start=10.0)
    members[1].up_since = 0.0
    for now, ramp in ((0.0, 0.1), (5.0, 0.55), (10.0, 1.0)):
        picked = Counter(web.choose(client, NOTHING, (), now) for client in CLIENTS)
        assert picked[members[1]] / len(CLIENTS) == pytest.approx(ramp / (2 + ramp), rel=0.2)
        assert picked[members[0]] == pytest.approx(picked[members[2]], rel=0.15)


@pytest.mark.parametrize("name", ["least_connections", "random_two"])
def test_load_is_relative_to_the_ramp(name: str) -> None:
    members = pool()
    web = Pool("web", members, balancer(name, members, Random(1)), slow_start=10.0)
    members[1].up_since = 0.0
    for client in CLIENTS[:2100]:
        member = web.choose(client, NOTHING, (), 0.0)
        assert member is not None
        member.connections += 1
    assert members[1].connections == pytest.approx(100, rel=0.3)


@pytest.mark.parametrize("name", ["source_hash", "maglev"])
def test_keys_that_have_moved_to_the_newcomer_stay_there(name: str) -> None:
    members = pool()
    web = Pool("web", members, balancer(name, members, Random(1)), slow_start=10.0)
    members[1].up_since = 0.0
    before: set[Endpoint] = set()
    for now in (0.0, 3.0, 6.0, 9.0, 12.0):
        here = {client for client in CLIENTS[:1000] if web.choose(client, NOTHING, (), now) is members[1]}
        assert before < here
        before = here


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_where_every_server_has_just_come_up_nothing_is_held_back(name: str) -> None:
    members = pool()
    web = Pool("web", members, balancer(name, members, Random(1)), slow_start=10.0)
    for member in members:
        member.up_since = 0.0
    picked: Counter[Member] = Counter()
    for client in CLIENTS[:3000]:
        member_now = web.choose(client, NOTHING, (), 1.0)
        assert member_now is not None
        member_now.connections += 1
        picked[member_now] += 1
    assert [picked[member] for member in members] == pytest.approx([1000] * 3, rel=0.2)
