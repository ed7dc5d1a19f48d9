"""The control plane of a switch under test: the real fast path on a real driver, on an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Self, TypeVar, cast

from fastpath.frame import OFFLOAD_LENGTH, Punt
from fastpath.interface import Closed
from fastpath.pipeline.driver import Driver, End
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.records import Counters, Reason
from fastpath.switch.network import Network
from tests.conformance.target import Rules
from tests.unit.pipeline.switches import SocketLink

_PATIENCE = 30.0
_MARK = bytes((2, Reason.MISS, 0, 0, 0, 0x4C)) + bytes(6) + b"\x86\xdd"
"""A punt that means nothing to anyone: it comes behind what was to be reported before it."""

_T = TypeVar("_T")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop; returns and raises as it does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)

    def close(self) -> None:
        """Stop the loop, which has nothing left to do."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()


class _Counted:
    """A driver, otherwise as it is, that knows how many reports of ends the fast path is done with."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._handled = 0
        self._progress = asyncio.Condition()

    def __getattr__(self, name: str) -> object:
        return getattr(self._driver, name)

    async def ends(self) -> AsyncIterator[list[End]]:
        async for batch in self._driver.ends():
            yield batch
            async with self._progress:
                self._handled += len(batch)
                self._progress.notify_all()

    async def handled(self, count: int) -> None:
        """Wait until the fast path is done with `count` reports."""
        async with self._progress:
            await self._progress.wait_for(lambda: self._handled >= count)


class ControlPlane:
    """A fast path that drives a switch; `begin` makes one."""

    def __init__(self, driver: _Counted, link: SocketLink, fastpath: PipelineFastPath) -> None:
        self.fastpath = fastpath
        self._wire = link.wire
        self._driver = driver
        self._closed: list[Closed] = []
        self._punts: list[Punt] = []
        self._marks = 0
        self._arrived = asyncio.Condition()
        self._collector = asyncio.create_task(self._collect())

    @classmethod
    async def begin(cls, driver: Driver, network: Network) -> Self:
        """Take over the switch that `driver` reaches."""
        counted, link = _Counted(driver), SocketLink()
        fastpath = await PipelineFastPath.begin(cast(Driver, counted), link, network)
        return cls(counted, link, fastpath)

    async def program(self, rules: Rules) -> None:
        """Have `rules` and nothing else in the tables."""
        await self.fastpath.remove([splice.flow for splice in self.fastpath.splices()])
        await self.fastpath.configure(rules.listeners, rules.servers, rules.next_hops)
        await self.fastpath.install(rules.splices)

    async def punt(self, frame: bytes) -> list[Punt]:
        """Let a punted frame arrive at the fast path; returns what the slow path gets of it."""
        self._deliver(frame)
        await self._drain()
        punts, self._punts = self._punts, []
        return punts

    async def closed(self, reports: int) -> list[Closed]:
        """What was reported since the last call, when the switch has made `reports` since the beginning."""
        await self._driver.handled(reports)
        await self._drain()
        closed, self._closed = self._closed, []
        return closed

    async def counters(self) -> Counters:
        """The counters as they are now."""
        await self.fastpath.refresh()
        return self.fastpath.counters()

    async def close(self) -> None:
        """End all of it."""
        await self.fastpath.close()
        await self._collector

    def _deliver(self, frame: bytes) -> None:
        self._wire.send(bytes(OFFLOAD_LENGTH) + frame)

    async def _drain(self) -> None:
        """Wait until all that came before this moment has been collected."""
        marks = self._marks + 1
        self._deliver(_MARK)
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._marks >= marks)

    async def _collect(self) -> None:
        async for batch in self.fastpath.events():
            punts = [punt for punt in batch.punts if punt.raw[OFFLOAD_LENGTH:] != _MARK]
            async with self._arrived:
                self._closed += batch.closed
                self._punts += punts
                self._marks += len(batch.punts) - len(punts)
                self._arrived.notify_all()
