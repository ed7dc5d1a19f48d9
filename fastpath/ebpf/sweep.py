"""The sweep through l7lb_splices: splices that are idle, and ends whose report was lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from fastpath.ebpf import layout
from fastpath.ebpf.splices import Splices
from fastpath.interface import Batch, Idle

_SLICE = 8192
"""Records per step: about a millisecond of the loop's time."""
_AT_ONCE = 512
"""Idle splices in a report: what becomes of them is more work than finding them."""
_BETWEEN_SLICES = 0.01
_LONGEST_PAUSE = 10.0
"""Seconds between slices, and at most between rounds."""
_SECOND = 1_000_000_000
_ENDED = layout.CLOSING_FINS | layout.CLOSING_RESET


class Sweep:
    """Looks at every splice, a slice at a time, and hands a Batch to `found` where there is something to say."""

    def __init__(self, splices: Splices, idle_after: float, found: Callable[[Batch], None]) -> None:
        self._splices, self._found = splices, found
        self._idle_after = max(1, int(idle_after * _SECOND) >> layout.TICK_SHIFT)
        self._pause = min(idle_after / 4, _LONGEST_PAUSE)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            for numbers in self.slices():
                batch = self.look(numbers)
                while len(batch.idle) > _AT_ONCE:
                    self._found(Batch(idle=batch.idle[:_AT_ONCE]))
                    del batch.idle[:_AT_ONCE]
                    await asyncio.sleep(_BETWEEN_SLICES)
                if batch.idle or batch.closed:
                    self._found(batch)
                await asyncio.sleep(_BETWEEN_SLICES)

    def slices(self) -> Iterator[range]:
        """The numbers of all records, some at a time."""
        for start in range(0, self._splices.used, _SLICE):
            yield range(start, min(start + _SLICE, self._splices.used))

    def look(self, numbers: range) -> Batch:
        """What there is to say of some records."""
        batch, splices, now = Batch(), self._splices, time.monotonic_ns()
        generations = splices.records.column(layout.GENERATION, numbers)
        closings = splices.records.column(layout.CLOSING, numbers)
        forth, back = (splices.records.column(layout.LAST_SEEN + direction, numbers) for direction in range(2))
        tick, idle_after = layout.tick(now), self._idle_after
        for number, generation, closing, seen, heard in zip(numbers, generations, closings, forth, back, strict=True):
            # In this order, as nearly all of them are there, have not ended, and have been seen just now.
            if closing & _ENDED and generation:
                batch.closed += splices.ended(number, generation, closing)
            if tick - seen & layout.MASK >= idle_after and tick - heard & layout.MASK >= idle_after and generation:
                idle = min(layout.age(seen, now), layout.age(heard, now))
                if idle >= idle_after:
                    batch.idle.append(Idle(splices.flow(number), (idle << layout.TICK_SHIFT) / _SECOND))
        return batch
