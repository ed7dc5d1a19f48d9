"""A table of a session: makes updates, and reads entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from p4rt import update
from p4rt.codec import decode_action, decode_key, encode_action, encode_key
from p4rt.errors import SchemaError
from p4rt.packer import Packer, packer
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import TableSchema
from p4rt.update import Update
from rpc.values import Count, KeyValue

_SLICE = 512
"""Entries decoded at a time: a few milliseconds of the loop's time; and updates of one Write of `clear`."""
_SECOND = 1_000_000_000
"""In nanoseconds."""
_LONGEST = (1 << 63) - 1
"""Nanoseconds."""


class Client(Protocol):
    """What tables and counters need of a session."""

    async def write(
        self,
        updates: Sequence[Update],
        *,
        atomic: bool = True,
        ignore_missing: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Apply updates."""

    async def read(self, what: str, entities: Sequence[pb.Entity], *, timeout: float | None = None) -> list[pb.Entity]:
        """Read entities."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: key and arguments in schema order; the default entry has no key.

    `action` is the full name; None in a default entry that has none. `idle_timeout` in seconds, 0 for none.
    `idle_for`: seconds since the last hit; `count`: what its direct counter counted; None unless asked for.
    """

    key: tuple[KeyValue, ...]
    action: str | None
    arguments: tuple[int, ...]
    idle_timeout: float = 0.0
    idle_for: float | None = None
    count: Count | None = None


class Table:
    """A table of a session's program.

    The methods that make updates check every value against the schema and raise SchemaError; nothing is sent until the
    updates are given to `Session.write`. Actions go by unique dotted suffixes, too. Idle timeouts are in seconds; 0
    stands for none.
    """

    def __init__(self, client: Client, schema: TableSchema) -> None:
        self.schema = schema
        self._client = client

    @property
    def name(self) -> str:
        """The full name."""
        return self.schema.name

    @property
    def size(self) -> int:
        """Entries that the program asked for."""
        return self.schema.size

    # ---- updates

    def insert(
        self, key: Sequence[KeyValue], action: str, arguments: Sequence[int] = (), *, idle_timeout: float = 0.0
    ) -> Update:
        """A new entry; ALREADY_EXISTS if there is one with this key, RESOURCE_EXHAUSTED if there is no place.

        bmv2 has UNKNOWN in place of the latter.
        """
        return self._update(pb.Update.INSERT, self._entry(key, action, arguments, idle_timeout))

    def modify(
        self, key: Sequence[KeyValue], action: str, arguments: Sequence[int] = (), *, idle_timeout: float = 0.0
    ) -> Update:
        """A new action for an entry; NOT_FOUND if there is none. Without an idle timeout it ages no more."""
        return self._update(pb.Update.MODIFY, self._entry(key, action, arguments, idle_timeout))

    def delete(self, key: Sequence[KeyValue]) -> Update:
        """No entry with this key; NOT_FOUND if there was none (see `ignore_missing` of Session.write)."""
        return self._update(pb.Update.DELETE, encode_key(self.schema, key))

    def set_default(self, action: str, arguments: Sequence[int] = ()) -> Update:
        """What happens on a miss."""
        chosen = encode_action(self.schema, self.schema.actions.find(action), arguments)
        return self._update(pb.Update.MODIFY, self._default(chosen))

    def reset_default(self) -> Update:
        """On a miss, what the program says."""
        return self._update(pb.Update.MODIFY, self._default())

    def packer(self, action: str, *, idle_timeout: float = 0.0) -> Packer:
        """A faster `insert(key, action, arguments)` for tables of exact fields only; raises SchemaError."""
        nanoseconds = self._nanoseconds(idle_timeout)
        return packer(self.schema, pb.Update.INSERT, self.schema.actions.find(action), nanoseconds)

    def deleter(self) -> Packer:
        """A faster `delete(key)` for tables of exact fields only; raises SchemaError."""
        return packer(self.schema, pb.Update.DELETE, None)

    # ---- requests

    async def get(
        self, key: Sequence[KeyValue], *, idle_for: bool = False, count: bool = False, timeout: float | None = None
    ) -> Entry | None:
        """The entry with this key."""
        found = await self.get_many([key], idle_for=idle_for, count=count, timeout=timeout)
        return found[0] if found else None

    async def get_many(
        self,
        keys: Sequence[Sequence[KeyValue]],
        *,
        idle_for: bool = False,
        count: bool = False,
        timeout: float | None = None,
    ) -> list[Entry]:
        """The entries with these keys, in one request; in no order, without those that are not there."""
        wanted = [self._wanted(encode_key(self.schema, key), idle_for=idle_for, count=count) for key in keys]
        # A key that is left out altogether, every field matching everything, asks for all.
        asked = {decode_key(self.schema, entry) for entry in wanted}
        found = [self._decoded(entity.table_entry) for entity in await self._read(wanted, timeout)]
        return [entry for entry in found if entry.key in asked]

    async def entries(
        self, *, idle_for: bool = False, count: bool = False, timeout: float | None = None
    ) -> AsyncIterator[Entry]:
        """Every entry, in no order, without the default.

        With `idle_for` and `count`, their time since the last hit and their direct counters, too; raises SchemaError if
        the table has none. Servers answer at once, so `timeout` may have to be long for a large table.
        """
        wanted = self._wanted(pb.TableEntry(table_id=self.schema.id), idle_for=idle_for, count=count)
        for index, entity in enumerate(await self._read([wanted], timeout)):
            if index % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            if not entity.table_entry.is_default_action:
                yield self._decoded(entity.table_entry)

    async def default(self) -> Entry | None:
        """The default entry."""
        found = await self._read([self._default()], None)
        return next((self._decoded(entity.table_entry) for entity in found), None)

    async def clear(self, *, timeout: float | None = None) -> None:
        """Delete every entry; not all at once, for the protocol has no request for that."""
        deletes = [self.delete(entry.key) async for entry in self.entries(timeout=timeout)]
        for start in range(0, len(deletes), _SLICE):
            batch = deletes[start : start + _SLICE]
            await self._client.write(batch, atomic=False, ignore_missing=True, timeout=timeout)

    # ---- helpers

    def _update(self, type_: pb.Update.Type, entry: pb.TableEntry) -> Update:
        return update.of(self.schema, type_, pb.Entity(table_entry=entry))

    def _entry(
        self, key: Sequence[KeyValue], action: str, arguments: Sequence[int], idle_timeout: float
    ) -> pb.TableEntry:
        entry = encode_key(self.schema, key)
        entry.action.CopyFrom(encode_action(self.schema, self.schema.actions.find(action), arguments))
        entry.idle_timeout_ns = self._nanoseconds(idle_timeout)
        return entry

    def _default(self, action: pb.TableAction | None = None) -> pb.TableEntry:
        return pb.TableEntry(table_id=self.schema.id, action=action, is_default_action=True)

    def _nanoseconds(self, idle_timeout: float) -> int:
        if idle_timeout and not self.schema.idle_timeout:
            raise SchemaError(f"{self.name}: its entries do not age; the program gives it no support_timeout")
        if not 0 <= idle_timeout * _SECOND <= _LONGEST:
            most = _LONGEST // _SECOND
            raise SchemaError(f"{self.name}: an idle timeout is 0 (none) to {most} s, not {idle_timeout}")
        return round(idle_timeout * _SECOND)

    def _wanted(self, entry: pb.TableEntry, *, idle_for: bool, count: bool) -> pb.TableEntry:
        if idle_for:
            if not self.schema.idle_timeout:
                raise SchemaError(f"{self.name}: its entries do not age; the program gives it no support_timeout")
            entry.time_since_last_hit.SetInParent()
        if count:
            if not self.schema.counted:
                raise SchemaError(f"{self.name}: its entries have no counters")
            entry.counter_data.SetInParent()
        return entry

    async def _read(self, entries: Sequence[pb.TableEntry], timeout: float | None) -> list[pb.Entity]:
        entities = [pb.Entity(table_entry=entry) for entry in entries]
        return await self._client.read(self.name, entities, timeout=timeout) if entities else []

    def _decoded(self, entry: pb.TableEntry) -> Entry:
        action, arguments = decode_action(self.schema, entry.action)
        hit, counted = entry.HasField("time_since_last_hit"), entry.HasField("counter_data")
        return Entry(
            key=() if entry.is_default_action else decode_key(self.schema, entry),
            action=action.name if action else None,
            arguments=arguments,
            idle_timeout=entry.idle_timeout_ns / _SECOND,
            idle_for=entry.time_since_last_hit.elapsed_ns / _SECOND if hit else None,
            count=Count(entry.counter_data.packet_count, entry.counter_data.byte_count) if counted else None,
        )
