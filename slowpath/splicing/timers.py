"""Deadlines of connections: added and taken in great numbers, and hardly ever looked for."""

from __future__ import annotations

from bisect import insort
from heapq import heappop, heappush
from typing import Final

_SLOTS_PER_SECOND: Final = 64


class Timers:
    """Deadlines in seconds of any clock, and the keys of those that they are for: a calendar queue (Brown, 1988).

    A deadline is put into its slot as it comes. Only the earliest slot is sorted, once it is that, so that thousands
    that lie seconds ahead cost next to nothing until they are due.
    """

    def __init__(self) -> None:
        self._slots: dict[int, list[tuple[float, bytes]]] = {}
        """By number, all but the earliest one."""
        self._numbers: list[int] = []
        """Their numbers, as a heap."""
        self._earliest: list[tuple[float, bytes]] = []
        """The earliest slot, sorted; empty if there is none."""
        self._number = -1
        self._taken = 0
        """How many of the earliest slot are not there any more."""

    @property
    def next(self) -> float | None:
        """The earliest deadline."""
        return self._earliest[self._taken][0] if self._earliest else None

    def add(self, deadline: float, key: bytes) -> None:
        """Have `key` taken at this deadline, which is not below 0, besides those that it has already."""
        number = int(deadline * _SLOTS_PER_SECOND)
        if number < self._number or not self._earliest:
            self._put_back()
            self._earliest, self._number = [(deadline, key)], number
        elif number == self._number:
            insort(self._earliest, (deadline, key), self._taken)
        elif (slot := self._slots.get(number)) is not None:
            slot.append((deadline, key))
        else:
            self._open(number, [(deadline, key)])

    def take(self, now: float) -> tuple[float, bytes] | None:
        """The earliest deadline that has come by `now`, and its key; it is no longer there then."""
        if not self._earliest:
            return None
        timer = self._earliest[self._taken]
        if timer[0] > now:
            return None
        self._taken += 1
        if self._taken == len(self._earliest):
            self._advance()
        return timer

    def _open(self, number: int, slot: list[tuple[float, bytes]]) -> None:
        self._slots[number] = slot
        heappush(self._numbers, number)

    def _put_back(self) -> None:
        """An earlier slot is to be the earliest one."""
        if self._earliest:
            self._open(self._number, self._earliest[self._taken :])
        self._taken = 0

    def _advance(self) -> None:
        """Nothing is left of the earliest slot."""
        self._earliest, self._taken = [], 0
        if self._numbers:
            self._number = heappop(self._numbers)
            self._earliest = self._slots.pop(self._number)
            self._earliest.sort()
