"""Deadlines come out in order, whatever the order in which they were added."""

from __future__ import annotations

import heapq

from hypothesis import given
from hypothesis import strategies as st

from slowpath.splicing.timers import Timers

MOMENTS = st.integers(0, 1000)
"""A number of steps of 5 ms, so that some are equal and many share a slot."""
STEPS = st.lists(st.tuples(MOMENTS, st.booleans()), max_size=60)


def test_none_is_there_at_first() -> None:
    timers = Timers()
    assert timers.next is None
    assert timers.take(1e9) is None


def test_none_comes_early() -> None:
    timers = Timers()
    timers.add(1.0, b"a")
    assert timers.take(0.999) is None
    assert timers.take(1.0) == (1.0, b"a")
    assert timers.next is None


def test_an_earlier_one_comes_first_and_the_later_ones_stay() -> None:
    timers = Timers()
    for deadline in (600.0, 2.001, 2.0, 0.2, 2.002, 600.0):
        timers.add(deadline, b"key")
    taken = []
    while (timer := timers.take(1000.0)) is not None:
        taken.append(timer[0])
    assert taken == [0.2, 2.0, 2.001, 2.002, 600.0, 600.0]


@given(STEPS)
def test_it_is_as_a_heap(steps: list[tuple[int, bool]]) -> None:
    timers, heap = Timers(), list[tuple[float, bytes]]()
    for number, (time, adds) in enumerate(steps):
        moment = time / 200
        if adds:
            timer = (moment, number.to_bytes(2, "big"))
            timers.add(*timer)
            heapq.heappush(heap, timer)
        else:
            expected = heapq.heappop(heap) if heap and heap[0][0] <= moment else None
            assert timers.take(moment) == expected
        assert timers.next == (heap[0][0] if heap else None)
    assert [timers.take(1e9) for _ in heap] == sorted(heap)
