"""Switches without a data plane, whatever their control protocol, and the CPU interface's other end."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import grpc

from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.link import Link
from fastpath.pipeline.rows import Action, Key
from fastpath.switch.network import Network, Port, default_mac
from p4model.objects import ProgramInfo
from p4model.state import DeviceState
from p4model.state.indexed import IndexedCounter
from p4model.state.tables import MatchTable
from rpc.session import Session
from tests.unit.pipeline.program import MakeInfo, Program

CLIENT_SIDE = Port(0, default_mac(0), ((bytes((10, 1, 0, 1)), 24),))
SERVER_SIDE = Port(1, default_mac(1), ((bytes((10, 2, 0, 1)), 24),))
NETWORK = Network((CLIENT_SIDE, SERVER_SIDE))


class SocketLink:
    """One end of a pair of sockets in the place of the CPU interface; `wire` is the other."""

    def __init__(self) -> None:
        self._socket, self.wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self.wire.setblocking(False)
        self.send_failures = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, limit: int) -> list[bytes]:
        frames: list[bytes] = []
        while len(frames) < limit:
            try:
                frames.append(self._socket.recv(65535))
            except BlockingIOError:
                break
        return frames

    def send(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._socket.send(frame)

    def receive_failures(self) -> int:
        return 0

    def close(self) -> None:
        self._socket.close()
        self.wire.close()


class Switch(ABC):
    """A server of one control protocol that can go away and come back, with or without its tables."""

    info: ClassVar[MakeInfo]
    """The program that it runs."""

    def __init__(self, directory: Path, program: ProgramInfo) -> None:
        self.address = f"unix:{directory}/switch"
        self.program = Program(program, self._limit)
        self.session: Session[Any, Any] | None = None
        self._refused: dict[str, Collection[tuple[int, ...]] | None] = {}
        self.interceptors: Sequence[grpc.aio.ServerInterceptor] = ()  # type: ignore[type-arg]

    @abstractmethod
    async def start(self) -> None:
        """Serve."""

    @abstractmethod
    async def cut(self) -> None:
        """Be out of reach."""

    async def stop(self) -> None:
        """Be out of reach, and wait until the session knows."""
        await self.cut()
        # A session tells only of its return.
        while self.session is not None and self.session.connected:  # noqa: ASYNC110
            await asyncio.sleep(0)

    @abstractmethod
    async def forget(self) -> None:
        """Lose everything, as a restarted server has."""

    async def close(self) -> None:
        """End the server."""
        await self.stop()

    @abstractmethod
    async def prepare(self) -> None:
        """Have the program, before a fast path comes."""

    async def connect(self) -> Session[Any, Any]:
        """Open the session of the fast path."""
        self.session = await self.open()
        return self.session

    @abstractmethod
    async def open(self) -> Session[Any, Any]:
        """A session."""

    @abstractmethod
    async def attach(self, link: Link, network: Network, idle_after: float) -> PipelineFastPath:
        """A fast path on the session."""

    @property
    @abstractmethod
    def state(self) -> DeviceState:
        """What the data plane has now."""

    @abstractmethod
    def process(self, frame: bytes) -> None:
        """Let a frame of port 0 through the program."""

    async def back(self, fastpath: PipelineFastPath) -> None:
        """Wait until the fast path has found the server again, and its tables are right."""
        await asyncio.wait_for(fastpath.settled(), 30)

    def rows(self, *tables: str) -> dict[Key, Action]:
        """All entries, by short names; a prefix is its value and mask."""
        found = {}
        for name, table in self.state.tables.items():
            short = name.rpartition(".")[2]
            for key, record in table.entries.items() if not tables or short in tables else ():
                _, action, arguments = record.result
                found[short, key] = table.info.actions[action].name.rpartition(".")[2], arguments
        return found

    def table(self, name: str) -> MatchTable:
        """A table, by its short name."""
        [found] = [each for full, each in self.state.tables.items() if full.rpartition(".")[2] == name]
        return found

    def counter(self, name: str) -> IndexedCounter:
        """A counter, by its short name."""
        [found] = [each for full, each in self.state.counters.items() if full.rpartition(".")[2] == name]
        return found

    def refuse(self, table: str, keys: Collection[tuple[int, ...]] | None) -> None:
        """Have no room for entries of a table with these keys, or for any more if None."""
        self._refused[table] = keys

    def _limit(self, state: DeviceState) -> None:
        for name, table in state.tables.items():
            table.has_room = partial(self._has_room, name.rpartition(".")[2])  # type: ignore[method-assign]

    def _has_room(self, table: str, key: tuple[int, ...]) -> bool:
        refused = self._refused.get(table, ())
        return refused is not None and key not in refused


class MakeSwitch(Protocol):
    """Makes a switch whose program has these sizes."""

    def __call__(
        self, *, connections: int = 64, overrides: int = 32, digest_bits: int = 32, without: str = ""
    ) -> Switch: ...


@asynccontextmanager
async def running(
    switch: Switch, *, network: Network = NETWORK, idle_after: float = 600.0
) -> AsyncIterator[tuple[Switch, PipelineFastPath, SocketLink]]:
    """A switch and a fast path on it."""
    link = SocketLink()
    async with AsyncExitStack() as stack:
        stack.callback(link.close)
        stack.push_async_callback(switch.close)
        await switch.start()
        stack.push_async_callback((await switch.connect()).close)
        fastpath = await switch.attach(link, network, idle_after)
        stack.push_async_callback(fastpath.close)
        yield switch, fastpath, link


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end."""
    asyncio.run(asyncio.wait_for(scenario, 60))
