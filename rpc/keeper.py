"""Keeps a connection to a server, which outlives each single one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

from rpc.connection import Connection
from rpc.errors import RpcError, Unavailable

_log = logging.getLogger(__name__)

_C = TypeVar("_C", bound=Connection[Any, Any])


class Keeper(Generic[_C]):
    """Connects again by itself, for ever, whenever the connection ends.

    `connect` makes one attempt (it raises an RpcError if it fails); `receive` gets the messages of the stream;
    `pauses` gives the seconds before each next attempt, from the shortest on.
    """

    def __init__(
        self,
        address: str,
        connect: Callable[[], Awaitable[_C]],
        receive: Callable[[Any], None],
        pauses: Callable[[], Iterator[float]],
    ) -> None:
        self._address, self._connect, self._receive, self._pauses = address, connect, receive, pauses
        self._connection: _C | None = None
        """The one for requests."""
        self._latest: _C | None = None
        """The one that is to be closed: it may have been given up, and not have ended yet."""
        self._connected = asyncio.Event()
        self._closed = False
        self._why = ""
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self, connection: _C) -> None:
        """Begin with a connection that is open."""
        self._connection = self._latest = connection
        self._connected.set()
        self._task = asyncio.create_task(self._keep(connection))

    @property
    def connected(self) -> bool:
        """Whether a connection stands, and the callbacks after its beginning have run."""
        return self._connected.is_set() and not self._closed

    async def wait_connected(self) -> None:
        """Wait until `connected`; raises Unavailable when closed."""
        await self._connected.wait()
        if self._closed:
            raise Unavailable(f"{self._address}: the session is closed")

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` awaited after every new connection but the first.

        Requests work in it. If it raises, the error is logged and the connection is made anew, after a pause.
        """
        self._callbacks.append(callback)

    def standing(self) -> _C:
        """The connection; raises Unavailable while there is none."""
        if self._closed:
            raise Unavailable(f"{self._address}: the session is closed")
        if self._connection is None:
            raise Unavailable(f"{self._address}: not connected{f' ({self._why})' if self._why else ''}")
        return self._connection

    def explain(self, why: str) -> None:
        """Say why there is no connection: in the log, once, and in the errors of requests meanwhile."""
        if why != self._why:
            _log.warning("%s: still not connected: %s", self._address, why)
        self._why = why

    def drop(self, connection: _C) -> None:
        """Give up a connection that failed a request."""
        if self._connection is connection:
            self._connection = None
            self._connected.clear()
        connection.abort()

    async def close(self) -> None:
        """End the connection, and make no other."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._connection = None
        self._closed = True
        self._connected.set()  # wakes those who wait for it
        if self._latest is not None:
            await self._latest.close()

    async def _keep(self, connection: _C) -> None:
        """Replace connections as they end."""
        ended = connection.listen(self._receive)
        while True:
            await asyncio.wait([ended])
            self._connection = None
            self._connected.clear()
            self._why = ended.result()
            _log.warning("%s: connection lost (%s)", self._address, self._why)
            await connection.close()
            connection, ended = await self._reconnect()
            self._connected.set()
            _log.info("%s: connected again", self._address)

    async def _reconnect(self) -> tuple[_C, asyncio.Task[str]]:
        """Connect and run the callbacks, until that succeeds."""
        for pause in self._pauses():
            await asyncio.sleep(pause)
            connection = None
            try:
                connection = self._latest = await self._connect()
                ended = connection.listen(self._receive)
                self._connection = connection
                for callback in self._callbacks:
                    await callback()
                if self._connection is not connection:
                    raise Unavailable("a request of a callback failed")
            except RpcError as error:
                # Once per reason: a server may be away for hours.
                self.explain(str(error))
            except Exception:
                _log.exception("%s: a callback failed; the connection is made anew", self._address)
            else:
                return connection, ended
            self._connection = None
            if connection is not None:
                await connection.close()
        raise AssertionError("pauses never end")
