"""Smooth weighted round robin."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from slowpath.balancing.smooth import SmoothWeighted

WEIGHTS = st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any)


def test_the_order_of_nginx() -> None:
    turn: SmoothWeighted[str] = SmoothWeighted()
    assert "".join(str(turn.pick([("a", 5), ("b", 1), ("c", 1)])) for _ in range(14)) == "aabacaa" * 2


def test_nothing_to_pick() -> None:
    turn: SmoothWeighted[str] = SmoothWeighted()
    assert turn.pick([]) is None
    assert turn.pick([("a", 0)]) is None


@given(WEIGHTS, st.integers(1, 3))
def test_a_period_is_exactly_in_proportion(weights: list[int], periods: int) -> None:
    turn: SmoothWeighted[int] = SmoothWeighted()
    picks = Counter(turn.pick(enumerate(weights)) for _ in range(sum(weights) * periods))
    assert picks == {key: weight * periods for key, weight in enumerate(weights) if weight}


@given(WEIGHTS)
def test_no_key_is_ever_a_whole_round_away_from_its_share(weights: list[int]) -> None:
    turn: SmoothWeighted[int] = SmoothWeighted()
    total, picked = sum(weights), [0] * len(weights)
    for done in range(1, total + 1):
        key = turn.pick(enumerate(weights))
        assert key is not None
        picked[key] += 1
        for count, weight in zip(picked, weights, strict=True):
            assert abs(count - done * weight / total) < len(weights)
