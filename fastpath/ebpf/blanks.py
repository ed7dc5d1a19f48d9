"""The records that the program makes splices of by itself, and those splices, until user space takes them over.

A record is blank until the program lets a connection in, and will be again some time after that has ended; all of that
is the program's doing (blank.h). This side hands blank records out, and takes over what lasts: then the record is a
splice's as any other, and another one takes its place.
"""

from __future__ import annotations

import asyncio
import re
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import Map
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.ebpf.splices import Splices
from fastpath.errors import Rejected, TableFull
from fastpath.interface import Admitted
from fastpath.records import Direction, Tuple4
from slowpath.wire.ip import IPV4

_BETWEEN_LOOKS = 0.5
_BETWEEN_TURNS = 0.01
"""Seconds."""
_AT_ONCE = 512
"""Splices taken over in a turn."""
ABANDONED_AFTER = 5_000_000_000
"""Nanoseconds after which nobody waits any more for the answer of a server that is asked."""
_THERE = layout.ADMITTED | layout.GONE | layout.BLANK
"""Flags of which a splice that the program has made has the first alone."""
_MAY_BE_THERE = bytes(flags & (layout.ADMITTED | layout.GONE) == layout.ADMITTED for flags in range(256))
_LASTS = bytes(not layout.has_ended(closing) for closing in range(256))
"""1 for each value of the lowest byte that says so."""
_ONE = re.compile(b"\1")


class Blanks:
    """`count` blank records of `splices` at most, and what becomes of them; `maps` are those of the program.

    Instants are in nanoseconds.
    """

    def __init__(self, splices: Splices, maps: Mapping[str, Map], count: int) -> None:
        self._splices, self._records, self.count = splices, splices.records, count
        self._blanks, self._ended, self._admitted = (maps[f"l7lb_{name}"] for name in ("blanks", "ended", "admitted"))
        self._out: list[int] = []
        """The records that are out, by number."""
        self._runs: list[range] | None = None
        """The same as ranges, if that is known."""
        self._known: dict[int, bytes] = {}
        """Of those, the splices that were there at the last look, by what tells them."""
        self._due: list[int] = []
        """Splices that are to be taken over."""
        self._abandoned: dict[int, int] = {}
        """Records that cannot be found any more, as nobody waits for the server, and since when."""
        self._found: list[Admitted] = []

    async def run(self, found: Callable[[], None]) -> None:
        """Look after them until cancelled; `found` is called when there is something to take."""
        while True:
            await asyncio.sleep(_BETWEEN_TURNS if self._due else _BETWEEN_LOOKS)
            self.turn(time.monotonic_ns())
            if self._found:
                found()

    def take(self) -> list[Admitted]:
        """The splices that were taken over since the last call."""
        found, self._found = self._found, []
        return found

    def turn(self, now: int) -> None:
        """Take over some of the splices that were there at the last look already; look again if there are no more."""
        if not self._due:
            self._look(now)
        turn, self._due = self._due[:_AT_ONCE], self._due[_AT_ONCE:]
        self._found += filter(None, [self._take_over(number, now) for number in turn])
        self.fill(now)

    def fill(self, now: int) -> None:
        """Have as many out as there may be, but leave room for twice as many splices."""
        wanted = self.count - len(self._out)
        if not wanted or self._splices.free < 2 * wanted:
            return
        with suppress(TableFull):
            self._runs = None
            for number in self._splices.take_numbers(wanted, now):
                insort(self._out, number)
                self._push_blank(number, now)

    def hand_over(self, match: Tuple4, now: int) -> Admitted | None:
        """Take over the splice with packets of this 4-tuple, if it is one, and has not ended."""
        if any(len(endpoint.address) != IPV4.address_length for endpoint in match):
            return None
        slot = self._admitted.lookup(layout.ipv4_tuple(*match))
        return None if slot is None else self._take_over(layout.slot_record(slot), now)

    def paths(self) -> set[int]:
        """The paths that splices have which the program has made."""
        return {self._records.word(number, layout.PATH) for number in self._there(bytes([1]) * 256)}

    def _look(self, now: int) -> None:
        """Find out what is due, and what is abandoned."""
        found: dict[int, bytes] = {}
        for number in self._there(_LASTS):
            flags = self._records.word(number, layout.FLAGS)
            if flags & _THERE != layout.ADMITTED or number in self._abandoned:
                continue
            if flags & layout.ASKING:
                asked = self._records.last_seen(number, Direction.TO_SERVER, now)
                if now - asked >= ABANDONED_AFTER:
                    self._hide(number, now)
                continue
            found[number] = self._records.identity(number)
            if self._known.get(number) == found[number]:
                self._due.append(number)
        self._known = found
        for number in [number for number, since in self._abandoned.items() if now - since >= GRACE]:
            del self._abandoned[number]
            self._clear(number, now)

    def _there(self, closing: bytes) -> Iterator[int]:
        """The records that the program may have made splices of, for which `closing` has a 1, by their closing state.

        There are thousands of records, of which hardly any is to be looked at: they are found without a loop.
        """
        for numbers in self._ranges():
            flags = self._records.low_bytes(layout.FLAGS, numbers).translate(_MAY_BE_THERE)
            states = self._records.low_bytes(layout.CLOSING, numbers).translate(closing)
            both = int.from_bytes(flags, "big") & int.from_bytes(states, "big")
            for one in _ONE.finditer(both.to_bytes(len(numbers), "big")):
                yield numbers[one.start()]

    def _ranges(self) -> list[range]:
        """The numbers that are out."""
        if self._runs is None:
            self._runs = []
            for number in self._out:
                if self._runs and self._runs[-1].stop == number:
                    self._runs[-1] = range(self._runs[-1].start, number + 1)
                else:
                    self._runs.append(range(number, number + 1))
        return self._runs

    def _take_over(self, number: int, now: int) -> Admitted | None:
        """Have user space own the splice of a record, if there is one that has not ended."""
        flags, closing = (self._records.word(number, word) for word in (layout.FLAGS, layout.CLOSING))
        if flags & (_THERE | layout.ASKING) != layout.ADMITTED or layout.has_ended(closing):
            return None
        try:
            splice = self._splices.adopt(number)
        except (TableFull, Rejected):
            return None
        if splice is None:
            # The program may have taken it for a splice of user space's already; it does not mind being told twice.
            self._ended.push(layout.resting(number, layout.tick(now)))
            return None
        del self._out[bisect_left(self._out, number)]
        self._runs = None
        self._known.pop(number, None)
        self._forget(number)
        return Admitted(splice, layout.label(flags), layout.lead(flags), self._records.followed(number))

    def _hide(self, number: int, now: int) -> None:
        """Let no packet find a record any more; a program that has just found it may work on it still."""
        self._forget(number)
        self._abandoned[number] = now

    def _clear(self, number: int, now: int) -> None:
        """Make a record blank again that no packet finds, or own its splice if the server was faster than that."""
        flags, closing = (self._records.word(number, word) for word in (layout.FLAGS, layout.CLOSING))
        if layout.has_ended(closing):
            return
        if flags & layout.ASKING:
            self._records.set(number, layout.FLAGS, layout.BLANK)
            self._push_blank(number, now)
        else:
            self._found += filter(None, [self._take_over(number, now)])

    def _forget(self, number: int) -> None:
        """Take the tuples of a record's splice out of the map in which the program finds it."""
        keys = [layout.ipv4_tuple(*match) for match in self._splices.matches(number)]
        self._admitted.delete_batch(keys)

    def _push_blank(self, number: int, now: int) -> None:
        """Hand out a record, which has rested."""
        self._blanks.push(layout.resting(number, layout.tick(now - 2 * GRACE)))
