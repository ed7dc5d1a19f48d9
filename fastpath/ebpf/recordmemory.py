"""The records of l7lb_splices in the memory that the program sees: struct splice of records.h, by number."""

from __future__ import annotations

import sys
import threading

from fastpath.ebpf import layout
from fastpath.records import Direction, Followed, Volume

_FOLLOWED_WORDS = (layout.PIVOT, layout.REQUEST_START, layout.RESPONSE_START)
_LOWEST = 0 if sys.byteorder == "little" else 3
"""Where the lowest byte is among the four of a word."""
_IDENTITY_BYTES = 4 * layout.PIVOT


class RecordMemory:
    """What records say, and what is written into them; words are named in layout.py."""

    def __init__(self, memory: memoryview[int]) -> None:
        self._bytes, self._words, self._quads = memory, memory.cast("I"), memory.cast("Q")
        self._fence = threading.Lock()
        self._fence.acquire()

    def write(self, number: int, record: bytes) -> None:
        """Write a whole record."""
        start = number * layout.RECORD_BYTES
        self._bytes[start : start + layout.RECORD_BYTES] = record

    def word(self, number: int, word: int) -> int:
        """A word of a record."""
        return self._words[number * layout.RECORD_WORDS + word]

    def set(self, number: int, word: int, value: int) -> None:
        """Write a word of a record."""
        self._words[number * layout.RECORD_WORDS + word] = value

    def column(self, word: int, numbers: range) -> list[int]:
        """A word of each of the records `numbers`."""
        words = layout.RECORD_WORDS
        return self._words[numbers.start * words + word : numbers.stop * words : words].tolist()

    def low_bytes(self, word: int, numbers: range) -> bytes:
        """The lowest byte of a word of each of the records `numbers`."""
        size, at = layout.RECORD_BYTES, 4 * word + _LOWEST
        return self._bytes[numbers.start * size + at : numbers.stop * size : size].tobytes()

    def ends(self, number: int) -> tuple[bytes, bytes, int, int]:
        """The client's and the source's address, of 16 bytes, and port."""
        return layout.ends(self._bytes, number)

    def identity(self, number: int) -> bytes:
        """What tells a splice from others that its record was of, as long as that lasts."""
        start = number * layout.RECORD_BYTES
        return self._bytes[start : start + _IDENTITY_BYTES].tobytes()

    def order(self) -> None:
        """Let no processor see the stores that follow before those that came before, nor what is read then be older.

        What lets a lock go and takes it again is ordered by that on every processor; the program's own reads depend on
        one another.
        """
        self._fence.release()
        self._fence.acquire()

    def followed(self, number: int) -> Followed | None:
        """How far precedents have moved the splice's pivot; None if they have not."""
        closing = self.word(number, layout.CLOSING)
        if not closing & layout.FOLLOWED or not self.word(number, layout.FLAGS) & layout.HAS_PIVOT:
            return None
        if closing != layout.FOLLOWED:
            return Followed(self.word(number, layout.PIVOT), None, None)
        return Followed(*(self.word(number, word) for word in _FOLLOWED_WORDS))

    def last_seen(self, number: int, direction: Direction, now: int) -> int:
        """When a packet of the splice was last sent on, in nanoseconds, to some milliseconds."""
        return now - (layout.age(self.word(number, layout.LAST_SEEN + direction), now) << layout.TICK_SHIFT)

    def carried(self, number: int) -> tuple[Volume, Volume]:
        """What the splice has carried, by direction."""
        up, down = self._carried(number, Direction.TO_SERVER), self._carried(number, Direction.TO_CLIENT)
        return up, down

    def _carried(self, number: int, direction: Direction) -> Volume:
        payload = self._quads[number * layout.RECORD_BYTES // 8 + layout.PAYLOAD + direction]
        return Volume(self.word(number, layout.PACKETS + direction), payload)

    def close(self) -> None:
        """Let the memory go."""
        for view in (self._words, self._quads, self._bytes):
            view.release()
