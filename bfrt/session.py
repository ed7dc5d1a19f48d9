"""A client's session with a program on a BfRt server, which outlives its connections."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Self

import grpc

import rpc.session
from bfrt.connection import Connection
from bfrt.counters import CounterTable
from bfrt.endpoint import Documents, Endpoint
from bfrt.errors import ProtocolError
from bfrt.notifications import Ageing, Notifications
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.registers import RegisterTable
from bfrt.schema import Schema, TableSchema
from bfrt.tables import Table
from bfrt.update import Update
from rpc.pauses import within
from rpc.stream import Stream

_CLIENT_IDS = 1 << 24
"""Servers keep 24 bits of a client's id for its notifications."""
_TAKEN = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS})
"""The client's id and its program are taken until the server has noticed that the connection before is gone."""


class Session(rpc.session.Session[Connection, Ageing]):
    """Subscribed and bound to one program."""

    def __init__(self, endpoint: Endpoint, schema: Schema, documents: Documents, jitter: Callable[[], float]) -> None:
        super().__init__(endpoint.address, Notifications(schema), jitter)
        self.schema = schema
        """The program's and the device's tables and digests."""
        self._endpoint, self._documents = endpoint, documents

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
        endpoint = Endpoint(address, program, client_id, wanted, timeout)
        connection, documents = await within(timeout, endpoint.connect, jitter, _TAKEN)
        try:
            session = cls(endpoint, Schema.parse(*documents), documents, jitter)
        except ProtocolError:
            await connection.close()
            raise
        session._keeper.start(connection)
        return session

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
        return self._notifications.digests(self.schema.filter(name).id)

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
        limit = self._endpoint.timeout if timeout is None else timeout
        await self._request(
            lambda connection: connection.write(updates, atomic=atomic, ignore_missing=ignore_missing, timeout=limit)
        )

    async def read(
        self, table: TableSchema, entities: Sequence[pb.Entity], *, timeout: float | None = None
    ) -> list[pb.Entity]:
        """Read entities of one table, in one request; Table and its kin make them.

        Raises ReadFailed, Refused and Unavailable.
        """
        limit = self._endpoint.timeout if timeout is None else timeout
        return await self._request(lambda connection: connection.read(table, entities, limit))

    async def _connect(self) -> Connection:
        """One more connection; the ids in tables and packers are those of the first one."""
        connection, documents = await self._endpoint.connect()
        if documents != self._documents:
            await connection.close()
            raise ProtocolError(f"program {self._endpoint.program} is not the one that it was: open a new session")
        return connection
