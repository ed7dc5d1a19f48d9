"""Clocks and memory of this process.

Rates are of its CPU time, which a busy machine leaves as it is; what the wall clock says stands beside them.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.million.population import VIP, batches, scattered
from bench.million.results import Findings
from fastpath.interface import FastPath
from fastpath.records import Flow

_STATM = Path("/proc/self/statm")
_TICK = 0.001


class Span:
    """Seconds of all its `with` blocks: `cpu` of this process, all its threads, `longest` of one block, and `wall`."""

    cpu = 0.0
    longest = 0.0
    wall = 0.0

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        spent = time.process_time() - self._cpu
        self.cpu += spent
        self.longest = max(self.longest, spent)
        self.wall += time.perf_counter() - self._wall


class Stalls:
    """The longest turn of the event loop while an `async with` block runs, in seconds.

    Every millisecond it asks for a turn, and takes the CPU time that this thread has used meanwhile for what others
    did with theirs: `cpu` is how long the loop could not have answered on a machine of its own, `wall` how long it did
    not on this one.
    """

    cpu = 0.0
    wall = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Its next turn ends the one that it is to measure.
        await asyncio.sleep(2 * _TICK)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def take(self) -> tuple[float, float]:
        """The longest since the last call: `cpu` and `wall`."""
        longest, self.cpu, self.wall = (self.cpu, self.wall), 0.0, 0.0
        return longest

    async def _watch(self) -> None:
        cpu, wall = time.thread_time(), time.perf_counter()
        while True:
            await asyncio.sleep(_TICK)
            later, end = time.thread_time(), time.perf_counter()
            self.cpu, self.wall = max(self.cpu, later - cpu), max(self.wall, end - wall - _TICK)
            cpu, wall = later, end


async def tell_stall(during: str, found: Findings, stalls: Stalls) -> None:
    """Note the longest turn of the loop since the last look, the present one included."""
    # Its turn has to end before it is known.
    await asyncio.sleep(0.01)
    found.add(f"longest turn of the loop during {during}", stalls.take()[0] * 1e3, "ms of CPU time")


async def remove_all(fastpath: FastPath, count: int, batch: int) -> Span:
    """Remove the splices of the first `count` clients, and say what that took."""
    total = Span()
    for numbers in batches(range(count), batch):
        flows = [Flow(scattered(number), VIP) for number in numbers]
        with total:
            await fastpath.remove(flows)
    return total


def resident() -> int:
    """Bytes of memory that this process has in use, once what it does not need any more is gone."""
    gc.collect()
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()
