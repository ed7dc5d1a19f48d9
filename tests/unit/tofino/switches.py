"""A switch without a data plane: a BfRt server of the model's, and the CPU interface's other end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from bfrt import Session
from fastpath.pipeline.rows import Action, Key
from fastpath.switch.network import Network, Port, default_mac
from fastpath.tofino import TofinoFastPath
from p4model.device import Device
from p4model.objects import ProgramInfo
from p4model.service import Server, serve
from tests.unit.pipeline.program import Program, info

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

    def send(self, frame: bytes) -> None:
        self._socket.send(frame)

    def receive_failures(self) -> int:
        return 0

    def close(self) -> None:
        self._socket.close()
        self.wire.close()


class Switch:
    """A BfRt server that can go away and come back, with or without its tables."""

    def __init__(self, directory: Path, program: ProgramInfo | None = None) -> None:
        self.address = f"unix:{directory}/bfrt"
        self._program = Program(program or info())
        self.device = Device(self._program)
        self._server: Server | None = None
        self.session: Session | None = None
        self.interceptors: Sequence[grpc.aio.ServerInterceptor[Any, Any]] = ()

    async def start(self) -> None:
        self._server = await serve(self.device, self.address, interceptors=self.interceptors)

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None
        # A session tells only of its return.
        while self.session is not None and self.session.connected:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def back(self, fastpath: TofinoFastPath) -> None:
        """Wait until the fast path has found the server again, and its tables are right."""
        await asyncio.wait_for(fastpath.settled(), 30)

    def forget(self) -> None:
        """Lose everything, as a restarted bf_switchd has."""
        self.device = Device(self._program)

    def rows(self, *tables: str) -> dict[Key, Action]:
        """All entries, by short names; a prefix is its value and mask."""
        found = {}
        for name, table in self.device.state.tables.items():
            short = name.rpartition(".")[2]
            for key, record in table.entries.items() if not tables or short in tables else ():
                _, action, arguments = record.result
                found[short, key] = table.info.actions[action].name.rpartition(".")[2], arguments
        return found

    def refuse(self, table: str, keys: Collection[tuple[int, ...]] | None) -> None:
        """Have no room for entries of a table with these keys, or for any more if None."""
        [found] = [each for name, each in self.device.state.tables.items() if name.rpartition(".")[2] == table]
        found.has_room = lambda key: keys is not None and key not in keys  # type: ignore[method-assign]


@asynccontextmanager
async def running(
    directory: Path,
    program: ProgramInfo | None = None,
    *,
    network: Network = NETWORK,
    idle_after: float = 600.0,
    switch: Switch | None = None,
) -> AsyncIterator[tuple[Switch, TofinoFastPath, SocketLink]]:
    """A switch and a fast path on it."""
    switch = switch or Switch(directory, program)
    link = SocketLink()
    async with AsyncExitStack() as stack:
        stack.callback(link.close)
        stack.push_async_callback(switch.stop)
        await switch.start()
        session = switch.session = await Session.open(switch.address, "l7lb", jitter=lambda: 0.0)
        stack.push_async_callback(session.close)
        fastpath = await TofinoFastPath.attach(session, link, network, idle_after=idle_after)
        stack.push_async_callback(fastpath.close)
        yield switch, fastpath, link


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end."""
    asyncio.run(asyncio.wait_for(scenario, 60))
