"""Sequence numbers modulo 2^32."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire import sequence

numbers = st.integers(0, sequence.MASK)


@pytest.mark.parametrize(
    ("number", "delta", "total"), [(0, -1, 0xFFFF_FFFF), (0xFFFF_FFFF, 1, 0), (5, 0, 5), (1, 2**33, 1)]
)
def test_add_wraps(number: int, delta: int, total: int) -> None:
    assert sequence.add(number, delta) == total


@pytest.mark.parametrize(
    ("a", "b", "signed"),
    [(0, 0, 0), (0, 0xFFFF_FFFF, 1), (0xFFFF_FFFF, 0, -1), (0x8000_0000, 0, -(2**31)), (0x7FFF_FFFF, 0, 2**31 - 1)],
)
def test_difference_is_signed(a: int, b: int, signed: int) -> None:
    assert sequence.difference(a, b) == signed


@given(numbers, st.integers(1, 2**31 - 1))
def test_what_is_ahead_by_less_than_half_is_after(number: int, ahead: int) -> None:
    later = sequence.add(number, ahead)
    assert sequence.after(later, number) and sequence.before(number, later)
    assert not sequence.before(later, number) and not sequence.after(number, later)
    assert sequence.difference(later, number) == ahead


@given(numbers)
def test_a_number_is_neither_before_nor_after_itself(number: int) -> None:
    assert not sequence.before(number, number) and not sequence.after(number, number)
