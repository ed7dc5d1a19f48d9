"""What a stream has yet to send to its client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

_M = TypeVar("_M")


class Outgoing(Generic[_M]):
    """A queue of messages; putting never waits."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[_M | None] = asyncio.Queue()

    def __len__(self) -> int:
        """How many messages are waiting."""
        return self._queue.qsize()

    def put(self, message: _M) -> None:
        """Send a message after those that are waiting."""
        self._queue.put_nowait(message)

    @asynccontextmanager
    async def sending(self, send: Callable[[_M], Awaitable[None]]) -> AsyncIterator[None]:
        """Send what is put, with `send`; at the end all that was put is sent, unless the client is gone."""
        sender = asyncio.create_task(self._send_all(send))
        try:
            yield
        finally:
            # Not cancelled: gRPC takes no status for a stream while a message of it is on its way.
            self._queue.put_nowait(None)
            await asyncio.gather(sender, return_exceptions=True)

    async def _send_all(self, send: Callable[[_M], Awaitable[None]]) -> None:
        while (message := await self._queue.get()) is not None:
            await send(message)
