"""The control plane of a P4 target: the real fast path, session and BfRt service, on an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from bfrt import Session, Stream
from fastpath.frame import OFFLOAD_LENGTH, Punt
from fastpath.interface import Closed
from fastpath.records import Counters, Reason
from fastpath.switch.network import Network
from fastpath.tofino import TofinoFastPath
from p4model.device import Device
from p4model.service import serve
from p4model.service.server import Server
from tests.conformance.target import Rules
from tests.unit.tofino.switches import SocketLink

PROGRAM = "l7lb"
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


class _Counted(Stream[tuple[int, ...]]):
    """A stream that knows how many of its digests its reader is done with."""

    def __init__(self, inner: Stream[tuple[int, ...]]) -> None:
        super().__init__()
        self._inner = inner
        self._given = 0
        self._handled = 0
        self._progress = asyncio.Condition()

    async def __anext__(self) -> list[tuple[int, ...]]:
        async with self._progress:
            self._handled += self._given
            self._progress.notify_all()
        batch = await self._inner.__anext__()
        self._given = len(batch)
        return batch

    async def handled(self, count: int) -> None:
        """Wait until the reader is done with `count` digests."""
        async with self._progress:
            await self._progress.wait_for(lambda: self._handled >= count)


class _Session(Session):
    """A session whose digests are counted."""

    ended: _Counted

    def digests(self, name: str) -> Stream[tuple[int, ...]]:
        self.ended = _Counted(super().digests(name))
        return self.ended


class Driver:
    """A TofinoFastPath that drives a device through BfRt; `open` makes one."""

    def __init__(self, server: Server, session: _Session, link: SocketLink, fastpath: TofinoFastPath) -> None:
        self.fastpath = fastpath
        self._wire = link.wire
        self._server, self._session = server, session
        self._closed: list[Closed] = []
        self._punts: list[Punt] = []
        self._marks = 0
        self._arrived = asyncio.Condition()
        self._collector = asyncio.create_task(self._collect())

    @classmethod
    async def open(cls, device: Device, network: Network) -> Self:
        """Serve `device` and take it over."""
        server = await serve(device, "127.0.0.1:0", name=PROGRAM)
        session = await _Session.open(server.address, PROGRAM)
        link = SocketLink()
        return cls(server, session, link, await TofinoFastPath.attach(session, link, network))

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

    async def closed(self, digests: int) -> list[Closed]:
        """What was reported since the last call, when `digests` were raised since the beginning."""
        await self._session.ended.handled(digests)
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
        await self._server.stop()

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
