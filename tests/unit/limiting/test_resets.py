"""The budget of RSTs."""

from __future__ import annotations

from slowpath.limiting.resets import RESETS_PER_SECOND, ResetLimit


def left(limit: ResetLimit, now: float) -> int:
    count = 0
    while limit.take(now):
        count += 1
    return count


def test_a_second_has_a_budget_and_the_next_one_a_new_one() -> None:
    limit = ResetLimit(bytes(16))
    first = left(limit, 10.2)
    assert 0.8 * RESETS_PER_SECOND < first <= RESETS_PER_SECOND
    assert left(limit, 10.9) == 0
    assert 0.8 * RESETS_PER_SECOND < left(limit, 11.0) <= RESETS_PER_SECOND


def test_nobody_without_the_key_knows_how_many_there_are() -> None:
    budgets = [[left(ResetLimit(key), second) for second in range(20)] for key in (bytes(16), bytes(15) + b"\1")]
    assert len(set(budgets[0])) > 10
    assert budgets[0] != budgets[1]
