"""`l7lb run` for this benchmark: the whole application on a fast path with peers on paper.

    python -m bench.million.instance CONFIG

The admin socket knows three commands more: `populate` (`count`, `batch`) has so many connections made, `population`
tells how far that is and what it took, and `turns` the longest turn of the event loop since `turns` was asked before.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.million.measuring import Stalls, resident
from bench.million.populated import PopulatedFastPath
from bench.million.population import checkpoints
from fastpath.ebpf import EbpfFastPath
from slowpath.control import logs
from slowpath.control.admin import AdminServer, Handler
from slowpath.control.app import Application
from slowpath.control.config import Config, EbpfConfig, load
from slowpath.control.host import KernelHost

_AT_REST = 3.0
"""Seconds without a packet after which the slow path keeps connections in their smallest form, and a little more."""
_POLL = 0.02


@dataclass(slots=True)
class Population:
    """What it took to get where we are: `checkpoints` are [connections, us of CPU time for each since the last]."""

    present: int
    settled: bool
    bytes_each: float
    checkpoints: list[tuple[int, float]]


class Populating:
    """The commands; one population at a time."""

    def __init__(self, fastpath: PopulatedFastPath) -> None:
        self._fastpath = fastpath
        self._task: asyncio.Task[None] | None = None
        self._population = Population(0, True, 0.0, [])
        self._stalls: Stalls | None = None

    @property
    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"populate": self._populate, "population": self._tell, "turns": self._turns}

    async def _populate(self, arguments: dict[str, Any]) -> object:
        self._population = Population(self._fastpath.present, False, 0.0, [])
        self._task = asyncio.create_task(self._grow(int(arguments["count"]), int(arguments["batch"])))
        return None

    async def _tell(self, arguments: dict[str, Any]) -> object:
        if self._task is not None and self._task.done():
            self._task.result()
        population = self._population
        return {
            "present": self._fastpath.present,
            "settled": population.settled,
            "bytes_each": population.bytes_each,
            "checkpoints": population.checkpoints,
        }

    async def _turns(self, arguments: dict[str, Any]) -> object:
        """Seconds of CPU time, and by the clock; watching begins with the first call, and ends with `stop`."""
        if arguments.get("stop"):
            if self._stalls is not None:
                await self._stalls.__aexit__(None, None, None)
            self._stalls = None
            return None
        if self._stalls is None:
            self._stalls = Stalls()
            await self._stalls.__aenter__()
        return self._stalls.take()

    async def _grow(self, count: int, batch: int) -> None:
        fastpath, population = self._fastpath, self._population
        before = resident()
        for checkpoint in checkpoints(count, batch):
            last, spent = fastpath.present, fastpath.spent
            fastpath.populate(checkpoint, batch)
            while fastpath.present < checkpoint:  # noqa: ASYNC110 - it takes seconds
                await asyncio.sleep(_POLL)
            population.checkpoints.append((checkpoint, (fastpath.spent - spent) / (checkpoint - last) * 1e6))
        await asyncio.sleep(_AT_REST)
        population.bytes_each = (resident() - before) / count
        population.settled = True


async def _serve(path: Path, config: Config) -> None:
    """As slowpath.control.app does."""
    chosen = config.fastpath
    if not isinstance(chosen, EbpfConfig):
        raise SystemExit(f"this benchmark is of the fast path ebpf, not {chosen.kind}")
    async with AsyncExitStack() as stack:
        handlers: dict[str, Handler] = {}
        admin = AdminServer(config.admin, handlers)
        await admin.start()
        stack.push_async_callback(admin.close)
        inner = await EbpfFastPath.open(
            chosen.interfaces, name=chosen.name, capacity=chosen.capacity, idle_after=config.timeouts.idle
        )
        stack.push_async_callback(inner.close)
        fastpath, host = PopulatedFastPath(inner), KernelHost(chosen.interfaces)
        stack.push_async_callback(host.close)
        handlers |= Populating(fastpath).handlers
        await Application(path, config, fastpath, host, handlers).serve(stack)


def main() -> int:
    logs.set_up()
    path = Path(sys.argv[1])
    uvloop.run(_serve(path, load(path)))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
