"""A client's session with a program on a BfRt server, which outlives its connections."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from bfrt.connection import Connection
from bfrt.counters import CounterTable
from bfrt.endpoint import Documents, Endpoint
from bfrt.errors import BfrtError, ProtocolError, Unavailable
from bfrt.notifications import Ageing, Notifications
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.registers import RegisterTable
from bfrt.schema import Schema, TableSchema
from bfrt.stream import Stream
from bfrt.tables import Table
from bfrt.update import Update

_log = logging.getLogger(__name__)

_CLIENT_IDS = 1 << 24
"""Servers keep 24 bits of a client's id for its notifications."""


class Session:
    """Subscribed and bound to one program; connects again by itself, for ever, whenever the connection ends.

    Every time a request ends with Unavailable, the session gives the connection up and makes a new one, and the
    callbacks of `on_reconnect` run: what a server that vanished did with the request is found out there.
    """

    def __init__(self, endpoint: Endpoint, schema: Schema, documents: Documents) -> None:
        self.schema = schema
        """The program's and the device's tables and digests."""
        self._endpoint, self._documents = endpoint, documents
        self._notifications = Notifications(schema)
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._closed = False
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        address: str,
        program: str,
        *,
        client_id: int = 1,
        digests: bool = True,
        idle: bool = False,
        timeout: float = 5.0,
        jitter: Callable[[], float] = random.random,
    ) -> Self:
        """Connect to `address` (host:port, or unix:path), subscribe as `client_id`, and bind to `program`.

        Tries for `timeout` seconds while there is no server, or the id or program is taken; every request has that
        time, too, unless it says otherwise. `digests` and `idle` ask for these notifications. `jitter` gives numbers
        from 0 to below 1. Raises Unavailable, Refused (the program is unknown, the id or program stays taken),
        ProtocolError, and ValueError for a client id outside of 0..2^24-1.
        """
        if not 0 <= client_id < _CLIENT_IDS:
            raise ValueError(f"client id {client_id} is not within 0..{_CLIENT_IDS - 1}")
        wanted = pb.Notifications(enable_learn_notifications=digests, enable_idletimeout_notifications=idle)
        endpoint = Endpoint(address, program, client_id, wanted, timeout, jitter)
        connection, documents = await endpoint.connect_within(timeout)
        try:
            session = cls(endpoint, Schema.parse(*documents), documents)
        except ProtocolError:
            await connection.close()
            raise
        session._connection = connection
        session._connected.set()
        session._keeper = asyncio.create_task(session._keep(connection))
        return session

    @property
    def connected(self) -> bool:
        """Whether a connection stands, and the callbacks after its beginning have run."""
        return self._connected.is_set() and not self._closed

    @property
    def lost(self) -> int:
        """Notifications dropped because nobody had asked for them, or that could not be understood."""
        return self._notifications.lost

    async def wait_connected(self) -> None:
        """Wait until `connected`; raises Unavailable when the session is closed."""
        await self._connected.wait()
        if self._closed:
            raise Unavailable(f"{self._endpoint.address}: the session is closed")

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` awaited after every new connection but the first; the server may have lost its state.

        Requests work in it. If it raises, the error is logged and the connection is made anew, after a pause.
        """
        self._callbacks.append(callback)

    def table(self, name: str) -> Table:
        """A match-action table or fixed table by name or unique dotted suffix; raises SchemaError."""
        return Table(self, self.schema.table(name))

    def counter(self, name: str) -> CounterTable:
        """An indirect counter by name or unique dotted suffix; raises SchemaError."""
        return CounterTable(self, self.schema.table(name))

    def register(self, name: str) -> RegisterTable:
        """A register array by name or unique dotted suffix; raises SchemaError."""
        return RegisterTable(self, self.schema.table(name))

    def digests(self, name: str) -> Stream[tuple[int, ...]]:
        """A stream of batches of that digest, members in schema order; survives reconnects, ends with the session.

        Digests are not a reliable queue: hardware and servers drop them, and so does a Stream whose reader is slow.
        Raises SchemaError.
        """
        return self._notifications.digests(self.schema.filter(name))

    def idle(self) -> Stream[Ageing]:
        """A stream of idle-time notifications, of every table."""
        return self._notifications.idle()

    async def write(
        self,
        updates: Sequence[Update],
        *,
        atomic: bool = True,
        ignore_missing: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Apply `updates` in order, in one request.

        `atomic`: all or nothing, for the tables' contents, not for the packets meanwhile; fixed tables (`$PORT`, ...)
        take part in no such batch. Otherwise, every update is tried. `ignore_missing`: deleting what is not there is no
        failure. A few thousand updates are a sensible most: errors name every update, and nobody else is served
        meanwhile. Raises WriteFailed, Refused and Unavailable. A write that is cancelled may have been applied, too.
        """
        if not updates:
            return
        connection, limit = self._standing(), self._endpoint.timeout if timeout is None else timeout
        try:
            await connection.write(updates, atomic=atomic, ignore_missing=ignore_missing, timeout=limit)
        except Unavailable:
            self._drop(connection)
            raise

    async def read(
        self, table: TableSchema, entities: Sequence[pb.Entity], *, timeout: float | None = None
    ) -> list[pb.Entity]:
        """Read entities of one table, in one request; Table and its kin make them.

        Raises ReadFailed, Refused and Unavailable.
        """
        connection, limit = self._standing(), self._endpoint.timeout if timeout is None else timeout
        try:
            return await connection.read(table, entities, limit)
        except Unavailable:
            self._drop(connection)
            raise

    async def close(self) -> None:
        """End the session, its streams, and the subscription on the server. Table entries stay there."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        connection, self._connection = self._connection, None
        self._closed = True
        self._connected.set()  # wakes those who wait for it
        if connection is not None:
            await connection.close()
        self._notifications.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _drop(self, connection: Connection) -> None:
        """Give up a connection that failed a request."""
        if self._connection is connection:
            self._connection = None
            self._connected.clear()
        connection.abort()

    def _standing(self) -> Connection:
        if self._connection is None:
            raise Unavailable(f"{self._endpoint.address}: not connected")
        return self._connection

    async def _keep(self, connection: Connection) -> None:
        """Replace connections as they end."""
        ended = connection.listen(self._notifications.receive)
        while True:
            await asyncio.wait([ended])
            self._connection = None
            self._connected.clear()
            _log.warning("%s: connection lost (%s)", self._endpoint.address, ended.result())
            await connection.close()
            connection, ended = await self._reconnect()
            self._connected.set()
            _log.info("%s: connected again", self._endpoint.address)

    async def _reconnect(self) -> tuple[Connection, asyncio.Task[str]]:
        """Connect and run the callbacks, until that succeeds."""
        told, address = "", self._endpoint.address
        for pause in self._endpoint.pauses():
            await asyncio.sleep(pause)
            connection = None
            try:
                connection, documents = await self._endpoint.connect()
                self._check(documents)
                ended = connection.listen(self._notifications.receive)
                self._connection = connection
                for callback in self._callbacks:
                    await callback()
                if self._connection is not connection:
                    raise Unavailable("a request of a callback failed")
            except BfrtError as error:
                # Once per reason: a server may be away for hours.
                if told != str(error):
                    _log.warning("%s: still not connected: %s", address, error)
                told = str(error)
            except Exception:
                _log.exception("%s: a callback failed; the connection is made anew", address)
            else:
                return connection, ended
            self._connection = None
            if connection is not None:
                await connection.close()
        raise AssertionError("pauses never end")

    def _check(self, documents: Documents) -> None:
        """The ids in tables and packers are those of the first connection."""
        if documents != self._documents:
            raise ProtocolError(f"program {self._endpoint.program} is not the one that it was: open a new session")
