"""Token buckets: what passes, what has to wait and how long, and how much memory they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.rate import Rate, RateLimit

ALICE, BOB = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
PER_CLIENT = ClientPrefix()


def passing(limit: RateLimit, client: bytes, now: float, attempts: int = 1000) -> int:
    """How many of many attempts at once pass."""
    return sum(not limit.take(client, now) for _ in range(attempts))


def test_a_burst_passes_at_once_and_the_rate_from_then_on() -> None:
    limit = RateLimit(Rate(10, 5), PER_CLIENT)
    assert passing(limit, ALICE, 100.0) == 5
    assert passing(limit, ALICE, 100.0) == 0
    assert [passing(limit, ALICE, 100.0 + second / 10) for second in range(1, 6)] == [1] * 5
    assert passing(limit, ALICE, 102.0) == 5


def test_a_refusal_says_when_there_is_a_token_and_takes_none() -> None:
    limit = RateLimit(Rate(0.5, 1), PER_CLIENT)
    assert limit.take(ALICE, 10.0) == 0
    assert limit.take(ALICE, 10.5) == pytest.approx(1.5)
    assert limit.take(ALICE, 11.0) == pytest.approx(1.0)
    assert limit.take(ALICE, 12.0) == 0


def test_clients_have_buckets_of_their_own() -> None:
    limit = RateLimit(Rate(1, 2), PER_CLIENT)
    assert passing(limit, ALICE, 1.0) == 2
    assert passing(limit, BOB, 1.0) == 2


def test_all_clients_may_have_one_bucket() -> None:
    limit = RateLimit(Rate(1, 2), None)
    assert (passing(limit, ALICE, 1.0), passing(limit, BOB, 1.0)) == (2, 0)
    assert len(limit) == 1


def test_a_client_that_keeps_asking_cannot_be_pushed_out() -> None:
    limit = RateLimit(Rate(1, 1), PER_CLIENT, capacity=8)
    assert limit.take(ALICE, 1.0) == 0
    for number in range(1000):
        assert limit.take(number.to_bytes(4, "big"), 1.0) == 0
        assert limit.take(ALICE, 1.0) > 0
    assert len(limit) == 8


def test_the_one_that_was_away_longest_starts_afresh() -> None:
    limit = RateLimit(Rate(1, 1), PER_CLIENT, capacity=2)
    for client in (ALICE, BOB, b"\0\0\0\1"):
        assert limit.take(client, 1.0) == 0
    assert limit.take(BOB, 1.0) > 0
    assert limit.take(ALICE, 1.0) == 0


@given(
    st.integers(1, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_no_interval_sees_more_than_the_burst_and_the_rate(per_second: int, burst: int, gaps: list[float]) -> None:
    limit, now, passed = RateLimit(Rate(per_second, burst), PER_CLIENT), 1000.0, []
    for gap in gaps:
        now += gap
        if not limit.take(ALICE, now):
            passed.append(now)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            # One more than fits exactly may pass at an edge, by rounding.
            assert last - first + 1 <= burst + (passed[last] - start) * per_second + 1e-3
