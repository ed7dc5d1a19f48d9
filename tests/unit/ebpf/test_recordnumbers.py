"""Numbers of records: every one is somebody's alone, and rests before it is somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.ebpf.recordnumbers import GRACE, RecordNumbers
from fastpath.errors import TableFull


def test_they_are_used_again_in_the_order_in_which_they_were_given_back() -> None:
    numbers = RecordNumbers(4)
    assert numbers.take(3, 0) == [0, 1, 2]
    numbers.give_back([2, 0], 0)
    assert numbers.take(1, GRACE - 1) == [3]
    assert numbers.take(2, GRACE) == [2, 0]
    assert numbers.used == 4


def test_none_is_given_before_its_time() -> None:
    numbers = RecordNumbers(2)
    numbers.give_back(numbers.take(2, 0), 5)
    with pytest.raises(TableFull, match="given back just now"):
        numbers.take(1, 4 + GRACE)
    assert numbers.take(2, 5 + GRACE) == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from((0, GRACE // 2, GRACE)))))
def test_no_number_is_taken_twice(history: list[tuple[int, int, int]]) -> None:
    numbers, now = RecordNumbers(8), 0
    taken: list[int] = []
    resting: dict[int, int] = {}
    for take, give, passes in history:
        now += passes
        free = 8 - len(taken) - sum(now - since < GRACE for since in resting.values())
        if take > free:
            with pytest.raises(TableFull):
                numbers.take(take, now)
        else:
            got = numbers.take(take, now)
            assert all(now - resting.pop(number, now - GRACE) >= GRACE for number in got)
            taken += got
            assert len(set(taken)) == len(taken)
        back, taken = taken[:give], taken[give:]
        numbers.give_back(back, now)
        resting |= dict.fromkeys(back, now)
