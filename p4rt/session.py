"""A controller's session with a device, which outlives its connections."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import rpc.session
from p4rt.batch import write_all, write_each
from p4rt.connection import IN_USE, Connection
from p4rt.counters import CounterTable
from p4rt.errors import SchemaError
from p4rt.notifications import Idle, Notifications
from p4rt.pipeline import Pipeline
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import DigestSchema
from p4rt.tables import Table
from p4rt.update import Update
from rpc.pauses import within
from rpc.stream import Stream

_RANGES = {"device_id": (0, (1 << 64) - 1), "election_id": (1, (1 << 128) - 1)}


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """A device on a server, and a controller of it; `timeout` in seconds."""

    address: str
    pipeline: Pipeline
    device_id: int
    election_id: int
    digests: Sequence[DigestSchema]
    timeout: float

    async def connect(self, backup: Callable[[str], None] | None = None) -> Connection:
        """One attempt, as Connection.open."""
        connection = Connection(self.address, self.pipeline, self.device_id, self.election_id, self.timeout)
        try:
            await connection.open(self.digests, backup)
        except BaseException:
            await connection.close()
            raise
        return connection


class Session(rpc.session.Session[Connection, Idle]):
    """The primary controller of a device that has one program.

    While another controller is primary, the session is its backup and not `connected`; when it becomes primary again,
    the callbacks of `on_reconnect` run as after any other new connection.
    """

    def __init__(self, endpoint: _Endpoint, jitter: Callable[[], float]) -> None:
        self.schema = endpoint.pipeline.schema
        """The program's tables, counters and digests."""
        super().__init__(endpoint.address, Notifications(self.schema), jitter)
        self._endpoint = endpoint

    @classmethod
    async def open(
        cls,
        address: str,
        pipeline: Pipeline,
        *,
        device_id: int = 0,
        election_id: int = 1,
        digests: Sequence[str] = (),
        timeout: float = 5.0,
        jitter: Callable[[], float] = random.random,
    ) -> Self:
        """Connect to `address` (host:port, or unix:path), and become the primary controller of device `device_id`.

        The device gets `pipeline` unless it has it already; then entries and counters are what they were. `digests` are
        the names of those that `Session.digests` will be asked for. Tries for `timeout` seconds while there is no
        server, or the election id is taken; every request has that time, too, unless it says otherwise. `jitter` gives
        numbers from 0 to below 1. Raises Unavailable, Refused (another controller has a higher election id, the
        server does not take the pipeline), WriteFailed (it refuses a digest), SchemaError for an unknown digest, and
        ValueError for ids outside of 64 bits (device) and 1..2^128-1 (election).
        """
        for name, value in (("device_id", device_id), ("election_id", election_id)):
            least, most = _RANGES[name]
            if not least <= value <= most:
                raise ValueError(f"{name} {value} is not within {least}..{most}")
        wanted = [pipeline.schema.digest(name) for name in digests]
        endpoint = _Endpoint(address, pipeline, device_id, election_id, wanted, timeout)
        connection = await within(timeout, endpoint.connect, jitter, IN_USE)
        session = cls(endpoint, jitter)
        session._keeper.start(connection)
        return session

    def table(self, name: str) -> Table:
        """A table by name or unique dotted suffix; raises SchemaError."""
        return Table(self, self.schema.table(name))

    def counter(self, name: str) -> CounterTable:
        """An indirect counter by name or unique dotted suffix; raises SchemaError."""
        return CounterTable(self, self.schema.counter(name))

    def digests(self, name: str) -> Stream[tuple[int, ...]]:
        """A stream of batches of that digest, members in schema order; survives reconnects, ends with the session.

        Lists are acknowledged as they arrive. Digests are not a reliable queue: servers drop them, and so does a Stream
        whose reader is slow. Raises SchemaError, also for a digest that `open` was not told of.
        """
        digest = self.schema.digest(name)
        if digest not in self._endpoint.digests:
            raise SchemaError(f"digest {digest.name} was not asked for: name it in `digests` of Session.open")
        return self._notifications.digests(digest.id)

    async def write(
        self,
        updates: Sequence[Update],
        *,
        atomic: bool = True,
        ignore_missing: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Apply `updates` in order, in one request.

        `atomic`: all or nothing. Servers cannot do that, so the session does: entries that the batch modifies or
        deletes are read before it, and when an update failed, what was carried out is undone in reverse, for which
        packets and other requests meet the batch in part. Inserts alone cost nothing extra. If undoing fails, too,
        Unavailable is raised. Otherwise, every update is tried. `ignore_missing`: deleting what is not there is no
        failure. Raises WriteFailed, Refused and Unavailable. A write that is cancelled may have been applied in part.
        """
        if not updates:
            return
        limit = self._endpoint.timeout if timeout is None else timeout
        write = write_all if atomic else write_each
        await self._request(lambda connection: write(connection, updates, ignore_missing=ignore_missing, timeout=limit))

    async def read(self, what: str, entities: Sequence[pb.Entity], *, timeout: float | None = None) -> list[pb.Entity]:
        """Read entities, in one request; Table and CounterTable make them. `what` names them in errors.

        Raises Refused and Unavailable.
        """
        limit = self._endpoint.timeout if timeout is None else timeout
        return await self._request(lambda connection: connection.read(what, entities, limit))

    async def _connect(self) -> Connection:
        return await self._endpoint.connect(self._keeper.explain)
