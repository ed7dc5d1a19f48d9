"""A connection that can be cut while both ends live on."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Relay:
    """A UNIX socket that leads to another one."""

    def __init__(self, path: str, target: str) -> None:
        self._path, self._target = path, target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Let clients in."""
        self._server = await asyncio.start_unix_server(self._connected, self._path)

    def cut(self) -> None:
        """End all connections, and let nobody in."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(self._target)
        ends = {writer, forth}
        self._writers |= ends
        await asyncio.gather(_copy(reader, forth), _copy(back, writer))
        self._writers -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
