"""Match-action tables and fixed tables: updates made from values, and entries read back as values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc

from bfrt import update
from bfrt.attributes import IdleTimeout
from bfrt.codec import decode_data, decode_key, encode_data, encode_key
from bfrt.errors import ProtocolError, SchemaError
from bfrt.packer import Packer, packer
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from bfrt.update import Update
from bfrt.values import DataValue
from rpc.failures import ReadFailed
from rpc.values import KeyValue

_SLICE = 512
"""Entries decoded at a time: a few milliseconds of the loop's time."""
_NO_FIELDS: Mapping[str, DataValue] = {}


class Client(Protocol):
    """What tables need of a session."""

    async def write(self, updates: Sequence[Update], *, atomic: bool = True, timeout: float | None = None) -> None:
        """Apply updates."""

    async def read(
        self, table: TableSchema, entities: Sequence[pb.Entity], *, timeout: float | None = None
    ) -> list[pb.Entity]:
        """Read entities of one table."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: key and arguments in schema order, further fields by full name; the default entry has no key.

    `action` is the full name; None in tables without actions.
    """

    key: tuple[KeyValue, ...]
    action: str | None
    arguments: tuple[DataValue, ...]
    fields: Mapping[str, DataValue]


class Table:
    """A table of a session's program or device.

    The methods that make updates check every value against the schema and raise SchemaError; nothing is sent until the
    updates are given to `Session.write`. Actions and fields go by unique dotted suffixes, too.
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
        """Entries that the program asked for; a server may hold one less, and refuse some before that."""
        return self.schema.size

    # ---- updates

    def insert(
        self,
        key: Sequence[KeyValue],
        action: str | None = None,
        arguments: Sequence[DataValue] = (),
        fields: Mapping[str, DataValue] = _NO_FIELDS,
    ) -> Update:
        """A new entry; ALREADY_EXISTS if there is one with this key, RESOURCE_EXHAUSTED if it finds no place.

        `fields` are the table's own, such as `$ENTRY_TTL` or, in a table without actions, all its data.
        """
        return self._update(pb.Update.INSERT, self._entry(key, action, arguments, fields))

    def modify(
        self,
        key: Sequence[KeyValue],
        action: str | None = None,
        arguments: Sequence[DataValue] = (),
        fields: Mapping[str, DataValue] = _NO_FIELDS,
        *,
        reset_ttl: bool = False,
        reset_stats: bool = False,
    ) -> Update:
        """New data for an entry; NOT_FOUND if there is none. The flags restart its ageing and direct counters.

        In a table with ageing, give `$ENTRY_TTL` along: an action without parameters alone turns ageing off.
        """
        entry = self._entry(key, action, arguments, fields)
        entry.table_flags.reset_ttl, entry.table_flags.reset_stats = reset_ttl, reset_stats
        return self._update(pb.Update.MODIFY, entry)

    def insert_or_modify(
        self, key: Sequence[KeyValue], action: str | None = None, arguments: Sequence[DataValue] = ()
    ) -> Update:
        """An entry, whether there was one or not; one that was there keeps its ageing and counters."""
        return self._update(pb.Update.INSERT_OR_MODIFY, self._entry(key, action, arguments, _NO_FIELDS))

    def delete(self, key: Sequence[KeyValue]) -> Update:
        """No entry with this key; NOT_FOUND if there was none (see `ignore_missing` of Session.write)."""
        return self._update(pb.Update.DELETE, pb.TableEntry(table_id=self.schema.id, key=encode_key(self.schema, key)))

    def set_default(self, action: str, arguments: Sequence[DataValue] = ()) -> Update:
        """What happens on a miss."""
        data = encode_data(self.schema, self.schema.actions.find(action), arguments, _NO_FIELDS)
        return self._update(pb.Update.MODIFY, pb.TableEntry(table_id=self.schema.id, data=data, is_default_entry=True))

    def reset_default(self) -> Update:
        """On a miss, what the program says."""
        return self._update(pb.Update.DELETE, pb.TableEntry(table_id=self.schema.id, is_default_entry=True))

    def packer(self, action: str) -> Packer:
        """A faster `insert(key, action, arguments)` for integer values only; raises SchemaError."""
        return packer(self.schema, pb.Update.INSERT, self.schema.actions.find(action))

    def deleter(self) -> Packer:
        """A faster `delete(key)` for integer values only; raises SchemaError."""
        return packer(self.schema, pb.Update.DELETE, None)

    # ---- requests

    async def get(self, key: Sequence[KeyValue], *, from_hw: bool = False) -> Entry | None:
        """The entry with this key."""
        try:
            return (await self.get_many([key], from_hw=from_hw))[0]
        except ReadFailed as error:
            if error.failures and error.failures[0].code is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    async def get_many(
        self, keys: Sequence[Sequence[KeyValue]], *, from_hw: bool = False, timeout: float | None = None
    ) -> list[Entry]:
        """The entries with these keys, in this order; raises ReadFailed if one is missing."""
        flags = pb.TableFlags(from_hw=from_hw)
        entries = [
            pb.TableEntry(table_id=self.schema.id, key=encode_key(self.schema, key), table_flags=flags) for key in keys
        ]
        entities = [pb.Entity(table_entry=entry) for entry in entries]
        found = await self._client.read(self.schema, entities, timeout=timeout) if entities else []
        if len(found) != len(entities):
            raise ProtocolError(f"{self.name}: {len(entities)} entries were asked for, {len(found)} came")
        return [self._decoded(entity.table_entry) for entity in found]

    async def entries(self, *, from_hw: bool = False, timeout: float | None = None) -> AsyncIterator[Entry]:
        """Every entry, in no order, without the default.

        The server answers at once, in one message of some hundred bytes per entry, so `timeout` may have to be long
        for a large table. `from_hw`: direct counters and hit states from the device instead of the driver's cache.
        """
        found = await self._wildcard(from_hw=from_hw, timeout=timeout)
        for index, entity in enumerate(found):
            if index % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            entry = entity.table_entry
            # An entry without key and data is a server's way to leave one out.
            if entry.HasField("key") and not entry.is_default_entry:
                yield self._decoded(entry)

    async def default(self) -> Entry | None:
        """The default entry; None in a table that has none."""
        for entity in reversed(await self._wildcard(from_hw=False, timeout=None)):
            if entity.table_entry.is_default_entry:
                return self._decoded(entity.table_entry)
        return None

    async def clear(self, *, timeout: float | None = None) -> None:
        """Delete every entry, and reset the default one."""
        await self._client.write(
            [self._update(pb.Update.DELETE, pb.TableEntry(table_id=self.schema.id))], atomic=False, timeout=timeout
        )

    async def usage(self, *, from_hw: bool = False) -> int:
        """How many entries there are."""
        flags = pb.TableFlags(from_hw=from_hw)
        entity = pb.Entity(table_usage=pb.TableUsage(table_id=self.schema.id, table_flags=flags))
        found = await self._client.read(self.schema, [entity])
        if not found:
            raise ProtocolError(f"{self.name}: the server did not tell the usage")
        return found[0].table_usage.usage

    async def operate(self, operation: str, *, timeout: float | None = None) -> None:
        """Run one of the table's operations (`SyncCounters`, `UpdateHitState`, ...) and wait for its end."""
        if operation not in self.schema.operations:
            there = ", ".join(self.schema.operations) or "none"
            raise SchemaError(f"{self.name}: no operation {operation!r}; there are: {there}")
        call = pb.TableOperation(table_id=self.schema.id, table_operations_type=operation)
        updates = [update.of(self.schema, pb.Update.INSERT, pb.Entity(table_operation=call))]
        await self._client.write(updates, atomic=False, timeout=timeout)

    async def set_idle_timeout(self, timeout: IdleTimeout) -> None:
        """Choose how entries age; to notify, the session needs `idle`, and the table must be empty."""
        self._need_attribute("IdleTimeout")
        attribute = pb.TableAttribute(table_id=self.schema.id, idle_table=timeout.message())
        updates = [update.of(self.schema, pb.Update.INSERT, pb.Entity(table_attribute=attribute))]
        await self._client.write(updates, atomic=False)

    async def idle_timeout(self) -> IdleTimeout:
        """How entries age."""
        self._need_attribute("IdleTimeout")
        attribute = pb.TableAttribute(table_id=self.schema.id, idle_table=pb.IdleTable())
        found = await self._client.read(self.schema, [pb.Entity(table_attribute=attribute)])
        if not found:
            raise ProtocolError(f"{self.name}: the server did not tell the idle timeout")
        return IdleTimeout.of(found[0].table_attribute.idle_table)

    # ---- helpers

    def _update(self, type_: pb.Update.Type, entry: pb.TableEntry) -> Update:
        return update.of(self.schema, type_, pb.Entity(table_entry=entry))

    def _entry(
        self,
        key: Sequence[KeyValue],
        action: str | None,
        arguments: Sequence[DataValue],
        fields: Mapping[str, DataValue],
    ) -> pb.TableEntry:
        chosen = None if action is None else self.schema.actions.find(action)
        return pb.TableEntry(
            table_id=self.schema.id,
            key=encode_key(self.schema, key),
            data=encode_data(self.schema, chosen, arguments, fields),
        )

    async def _wildcard(self, *, from_hw: bool, timeout: float | None) -> list[pb.Entity]:
        entry = pb.TableEntry(table_id=self.schema.id, table_flags=pb.TableFlags(from_hw=from_hw))
        return await self._client.read(self.schema, [pb.Entity(table_entry=entry)], timeout=timeout)

    def _decoded(self, entry: pb.TableEntry) -> Entry:
        key = () if entry.is_default_entry else decode_key(self.schema, entry.key)
        action, arguments, fields = decode_data(self.schema, entry.data)
        return Entry(key, action.name if action else None, arguments, fields)

    def _need_attribute(self, attribute: str) -> None:
        if attribute not in self.schema.attributes:
            raise SchemaError(f"{self.name}: the program gives this table no attribute {attribute}")
