"""The index of splices that the program looks into: index.h says what a slot holds.

Two choices keep the buckets even (Azar, Broder, Karlin and Upfal, "Balanced allocations", 1994): filled to a half, as
it is at most, hardly any tuple finds both of its buckets full, and then an entry is moved.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from typing import Final

from fastpath.ebpf.hashing import TupleHash
from fastpath.errors import TableFull
from fastpath.records import Direction

BUCKET: Final = 8
"""Slots in a bucket."""
_SLOTS_PER_SPLICE: Final = 4
MAX_RECORDS: Final = 1 << 24
_RECORD: Final = MAX_RECORDS - 1
"""The bits of a slot that hold the record's number."""
_BEGINNING_SHIFT: Final = 24
_TAKEN: Final = 0x40
_TAG: Final = 0x3F
_TO_CLIENT: Final = int(Direction.TO_CLIENT) << 7
"""What the byte before it holds."""
_BEGINNING: Final = 3 if sys.byteorder == "little" else 0
"""Where that byte is among the four of a slot."""
TO_CLIENT: Final = _TO_CLIENT << _BEGINNING_SHIFT
"""The bit of a slot that says which direction the entry stands for."""
_SLOT_BYTES: Final = 4
_BUCKET_BYTES: Final = _SLOT_BYTES * BUCKET
_BUCKET: Final = struct.Struct(f"{_BUCKET_BYTES}s")


def buckets_for(splices: int) -> int:
    """How many buckets hold so many splices, two entries each, at half their slots."""
    return -(-splices * _SLOTS_PER_SPLICE // BUCKET)


def record_of(slot: int) -> int:
    """The number of the record of an entry."""
    return slot & _RECORD


class Index:
    """The slots, by position: slot N of bucket B is at BUCKET * B + N. Nobody else writes them."""

    def __init__(self, memory: memoryview[int], hashing: TupleHash) -> None:
        self._memory, self._hashing = memory, hashing
        self.slots = memory.cast("I")

    def survey(self, total: int) -> tuple[int, int, bool]:
        """What there is to know of the tuple whose parts sum up to `total`.

        That is how its entry begins, as the bits of a slot; the position of a free slot in the emptier one of its
        buckets, -1 if both are full; and whether any of their `entries` may be its own.
        """
        first, one, other = self._hashing.place(total)
        begins = first & _TAG | _TAKEN
        free, here, may_be_here = _surveyed(self._bucket(one), begins)
        spare, there, may_be_there = _surveyed(self._bucket(other), begins)
        position = -1
        if free or spare:
            position = BUCKET * one + here if free >= spare else BUCKET * other + there
        return begins << _BEGINNING_SHIFT, position, may_be_here or may_be_there

    def entries(self, total: int) -> list[tuple[int, int]]:
        """Those that may be the one of the tuple whose parts sum up to `total`: position and slot."""
        first, one, other = self._hashing.place(total)
        wanted = first & _TAG | _TAKEN | _TO_CLIENT
        found: list[tuple[int, int]] = []
        for bucket in (one, other):
            content = self._bucket(bucket)
            for slot in range(BUCKET):
                if content[_SLOT_BYTES * slot + _BEGINNING] | _TO_CLIENT == wanted:
                    position = BUCKET * bucket + slot
                    found.append((position, self.slots[position]))
        return found

    def close(self) -> None:
        """Let the memory go."""
        for view in (self.slots, self._memory):
            view.release()

    def buckets(self, total: int) -> tuple[range, range]:
        """The positions in both buckets of a tuple."""
        _, one, other = self._hashing.place(total)
        return range(BUCKET * one, BUCKET * (one + 1)), range(BUCKET * other, BUCKET * (other + 1))

    def _bucket(self, number: int) -> bytes:
        content: bytes = _BUCKET.unpack_from(self._memory, number * _BUCKET_BYTES)[0]
        return content


def _surveyed(bucket: bytes, begins: int) -> tuple[int, int, bool]:
    """How many slots of a bucket are free, the first of them, and whether an entry is there that begins so."""
    free, first, there = 0, -1, False
    for slot in range(BUCKET):
        beginning = bucket[_SLOT_BYTES * slot + _BEGINNING]
        if not beginning:
            free += 1
            first = slot if first < 0 else first
        elif beginning & ~_TO_CLIENT == begins:
            there = True
    return free, first, there


class Plan:
    """Changes to an index that are made up before any of them is carried out, and then carried out at once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._touched: set[int] = set()
        """Positions that have something done to them."""
        self._stale: set[int] = set()
        self.moves: list[tuple[int, int]] = []
        """Positions, and the slots that are copied there."""

    def take(self, position: int) -> bool:
        """Have a new entry at `position`, which is free; False if another one comes there."""
        if position < 0 or position in self._touched:
            return False
        self._touched.add(position)
        return True

    def swing(self, position: int) -> None:
        """Have a new entry in the place of one of the same tuple, so that it is always found."""
        self._touched.add(position)
        self._stale.discard(position)

    def clear(self, position: int) -> None:
        """Take the entry at `position` out, unless another one swings into its place."""
        if position not in self._touched:
            self._touched.add(position)
            self._stale.add(position)

    def make_room(self, total: int, total_of: Callable[[int], int]) -> int:
        """A position for a tuple for which `take` found none, once all is known that is cleared or swung.

        `total_of` is the sum of an entry's tuple. One that is moved to its other bucket may be missed there by a packet
        that looks just then, which is punted. Raises TableFull.
        """
        slots = self._index.slots
        one, other = self._index.buckets(total)
        positions: list[int] = [*one, *other]
        for position in positions:
            if not slots[position] and self.take(position):
                return position
        for position in positions:
            if position in self._touched:
                continue
            slot = slots[position]
            for others in self._index.buckets(total_of(slot)):
                for free in others:
                    if not slots[free] and self.take(free):
                        self.moves.append((free, slot))
                        self._touched.add(position)
                        return position
        raise TableFull("the index of splices has no room for one of them: its buckets are full, and those around them")

    def carry_out(self, positions: Sequence[int], entries: Sequence[int]) -> None:
        """Do it all, and write the new `entries` at `positions`."""
        slots = self._index.slots
        for position in self._stale:
            slots[position] = 0
        for position, slot in self.moves:
            slots[position] = slot
        for position, slot in zip(positions, entries, strict=True):
            slots[position] = slot
