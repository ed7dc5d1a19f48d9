"""Rendezvous and Maglev hashing: even, the same everywhere, and stable when servers come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowpath.balancing.hashed import Hashed
from slowpath.balancing.keys import by_address, by_connection
from slowpath.balancing.maglev import TABLE_SIZE, Maglev, build
from slowpath.balancing.member import Member
from slowpath.balancing.rendezvous import Rendezvous
from slowpath.request import Nothing
from slowpath.wire.endpoint import Endpoint

NOTHING = Nothing()
CLIENTS = [Endpoint(bytes((192, 0, 2 + i // 256, i % 256)), 30_000 + i) for i in range(6000)]
Strategy = Callable[[list[Member]], Hashed]


def by_rendezvous(members: list[Member]) -> Hashed:
    return Rendezvous(members, by_address)


def by_maglev(members: list[Member]) -> Hashed:
    return Maglev(members, by_connection)


both = pytest.mark.parametrize("strategy", [by_rendezvous, by_maglev])


def pool(*weights: int) -> list[Member]:
    return [Member(i, Endpoint.parse(f"10.2.{i // 200}.{i % 200 + 1}:80"), weight) for i, weight in enumerate(weights)]


def placed(strategy: Hashed) -> list[Endpoint]:
    members = [strategy.pick(client, NOTHING) for client in CLIENTS]
    return [member.endpoint for member in members if member is not None]


@both
def test_shares_follow_the_weights(strategy: Strategy) -> None:
    shares = Counter(placed(strategy(pool(1, 2, 3))))
    assert [shares[member.endpoint] / 1000 for member in pool(1, 2, 3)] == pytest.approx([1, 2, 3], abs=0.15)


@both
def test_two_balancers_agree_whatever_the_order_of_their_members(strategy: Strategy) -> None:
    here, there = pool(1, 2, 3, 1), pool(1, 2, 3, 1)[::-1]
    for number, member in enumerate(there):
        member.id = number
    assert placed(strategy(here)) == placed(strategy(there))


@both
def test_a_lost_server_moves_its_own_clients_only_and_gets_them_back(strategy: Strategy) -> None:
    members = pool(1, 1, 1, 1, 1)
    lost = members[2]
    balancer = strategy(members)
    before = placed(balancer)
    lost.up = False
    without = placed(balancer)
    moved = [new for old, new in zip(before, without, strict=True) if old != new]
    assert len(moved) == before.count(lost.endpoint)
    assert all(old == new for old, new in zip(before, without, strict=True) if old != lost.endpoint)
    # A quarter each of about 1200.
    assert all(200 < count < 400 for count in Counter(moved).values())
    lost.up = True
    assert placed(balancer) == before


@both
def test_a_retry_goes_where_the_clients_of_a_lost_server_go(strategy: Strategy) -> None:
    members = pool(1, 1, 1)
    balancer = strategy(members)
    retries = [balancer.pick(client, NOTHING, tried=(0,)) for client in CLIENTS[:500]]
    members[0].up = False
    assert [balancer.pick(client, NOTHING) for client in CLIENTS[:500]] == retries


def test_rendezvous_goes_by_address_maglev_by_address_and_port() -> None:
    ports = [Endpoint(bytes((192, 0, 2, 1)), port) for port in range(100)]
    by_address, by_connection = by_rendezvous(pool(1, 1, 1)), by_maglev(pool(1, 1, 1))
    assert len({by_address.pick(client, NOTHING) for client in ports}) == 1
    assert len({by_connection.pick(client, NOTHING) for client in ports}) == 3


def test_rendezvous_never_moves_a_client_between_servers_that_stay() -> None:
    small, large = placed(by_rendezvous(pool(1, 1, 1))), placed(by_rendezvous(pool(1, 1, 1, 1)))
    newcomer = pool(1, 1, 1, 1)[3].endpoint
    assert {new for old, new in zip(small, large, strict=True) if old != new} == {newcomer}
    assert large.count(newcomer) == pytest.approx(1500, abs=150)


def test_the_table_of_maglev_gives_every_server_the_same_number_of_slots() -> None:
    slots = Counter(build(pool(*[1] * 100)))
    assert sum(slots.values()) == TABLE_SIZE
    assert set(slots.values()) == {TABLE_SIZE // 100, TABLE_SIZE // 100 + 1}


def test_the_table_of_maglev_changes_little_when_a_server_goes() -> None:
    members = pool(*[1] * 20)
    whole = [members[index].endpoint for index in build(members)]
    gone = members.pop(7)
    rest = [members[index].endpoint for index in build(members)]
    reshuffled = sum(old != new for old, new in zip(whole, rest, strict=True) if old != gone.endpoint)
    # Figure 12 of the paper: a few percent of the entries at this size.
    assert reshuffled < TABLE_SIZE * 0.04


@settings(max_examples=50)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12), st.sampled_from([13, 251, 2039]))
def test_any_weights_fill_the_table_in_proportion(weights: list[int], size: int) -> None:
    slots = Counter(build(pool(*weights), size))
    assert sum(slots.values()) == size
    for index, weight in enumerate(weights):
        assert slots[index] >= 1
        assert abs(slots[index] - size * weight / sum(weights)) <= len(weights)


def test_rendezvous_and_maglev_take_ipv6() -> None:
    client = Endpoint.parse("[2001:db8::1]:40000")
    assert by_rendezvous(pool(1, 1)).pick(client, NOTHING) is not None
    assert by_maglev(pool(1, 1)).pick(client, NOTHING) is not None
