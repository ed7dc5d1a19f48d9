"""Which records of l7lb_splices are free."""

from __future__ import annotations

from array import array
from collections import deque

from fastpath.errors import TableFull

GRACE = 250_000_000
"""Nanoseconds for which a number that was given back is not used again.

A program that found a record in the index before it left it may work on it still. Programs run to their end without
sleeping, in microseconds; even one whose virtual CPU was taken away in the middle is back long before.
"""


class RecordNumbers:
    """The numbers 0 to `count` - 1: those that were used and are free again first, longest free first."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.used = 0
        """Numbers from here on have never been used."""
        self._given_back = array("I", bytes(4 * count))
        self._first = self._free = 0
        """In that ring, where those that are free begin, and how many are so for longer than GRACE."""
        self._waiting: deque[tuple[int, int]] = deque()
        """The others: since when, and how many."""
        self._end = 0

    def take(self, count: int, now: int) -> list[int]:
        """`count` free numbers; raises TableFull. `now` in nanoseconds, here and below."""
        while self._waiting and now - self._waiting[0][0] >= GRACE:
            self._free += self._waiting.popleft()[1]
        if count > self._free + self._count - self.used:
            raise TableFull(f"{count} more splices do not fit: so many records have been given back just now")
        again = min(count, self._free)
        numbers = [self._given_back[(self._first + index) % self._count] for index in range(again)]
        self._first = (self._first + again) % self._count
        self._free -= again
        numbers += range(self.used, self.used + count - again)
        self.used += count - again
        return numbers

    def give_back(self, numbers: list[int], now: int) -> None:
        """Free `numbers`, which have been taken."""
        for number in numbers:
            self._given_back[self._end] = number
            self._end = (self._end + 1) % self._count
        if numbers:
            self._waiting.append((now, len(numbers)))
