"""Match-action tables as BfRt serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client
from p4model.bfruntime.codec import KeyCodec, ValuesCodec
from p4model.bfruntime.schema import Schema
from p4model.bfruntime.tables.base import Journal, Note, ServedTable, View, wanted_fields
from p4model.bfruntime.tables.common import Common, CommonFields
from p4model.state.aging import MINIMUM_INTERVAL, Mode, start
from p4model.state.errors import InvalidArgument, NotFound, NotSupported
from p4model.state.record import EntryKey, Record
from p4model.state.tables import MatchTable

_MODES = {pb.IdleTable.IDLE_TABLE_POLL_MODE: Mode.POLL, pb.IdleTable.IDLE_TABLE_NOTIFY_MODE: Mode.NOTIFY}


class ServedMatchTable(ServedTable):
    """One match-action table."""

    def __init__(self, schema: Schema, table: MatchTable, age: Callable[[ServedMatchTable, Client], None]) -> None:
        info = table.info
        name = schema.qualified(info.name)
        super().__init__(schema.tables[name], name)
        self.table = table
        self.keys = KeyCodec(name, info.keys)
        self._age = age
        """To be called when entries begin to age for a client."""
        self._common = CommonFields(info)
        self._plain = not self._common
        self._action_ids = [schema.actions[action.name] for action in info.actions]
        self._codecs = [ValuesCodec(f"{name}: {action.name}", action.parameters) for action in info.actions]
        self._actions = {id_: (index, self._codecs[index]) for index, id_ in enumerate(self._action_ids)}
        self.writers = {
            pb.Update.INSERT: self._insert,
            pb.Update.MODIFY: self._modify,
            pb.Update.DELETE: self._delete,
            pb.Update.INSERT_OR_MODIFY: self._insert_or_modify,
        }
        if info.direct_counter:
            self.operations = {**self.operations, "SyncCounters": table.synchronise}
        if info.idle_timeout:
            self.operations = {**self.operations, "UpdateHitState": table.aging.update_hit_state}

    def usage(self) -> int:
        """How many entries there are, without the default one."""
        return len(self.table.entries)

    # Updates

    def _insert(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.is_default_entry:
            raise NotSupported(f"{self.name}: the default entry is always there; modify it")
        key = self.keys.decode(entry.key.fields)
        self._insert_at(key, entry.data, journal)

    def _insert_at(self, key: EntryKey, data: pb.TableData, journal: Journal) -> None:
        action, codec = self._action(data.action_id)
        if self._plain:
            self.table.insert(key, action, codec.decode(data.fields))
        else:
            own, common = self._common.split(data.fields)
            arguments = codec.decode(own)
            self._check(common)
            record = self.table.insert(key, action, arguments)
            record.set_counts(common.packets, common.octets)
            start(record, common.ttl or 0)
        journal.undo.append(partial(self.table.restore, key, None))

    def _modify(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.is_default_entry or not self.table.info.keys:
            self._modify_default(entry, journal)
            return
        key = self.keys.decode(entry.key.fields)
        saved = self.table.save(key)
        self._modify_at(key, entry)
        journal.undo.append(partial(self.table.restore, key, saved))

    def _modify_at(self, key: EntryKey, entry: pb.TableEntry) -> None:
        self.table.require_writable()
        data = entry.data
        own, common = self._common.split(data.fields)
        self._check(common)
        _, action, arguments = self.table.get(key).result
        if data.action_id:
            action, codec = self._action(data.action_id)
            arguments = codec.decode(own)
            if not data.fields and self._common.idle:
                # With no field named, all of them are: the time to live becomes 0.
                common.ttl = 0
        elif own:
            raise InvalidArgument(f"{self.name}: fields of an action are given without the action")
        record = self.table.modify(key, action, arguments)
        flags = entry.table_flags
        if flags.reset_stats:
            record.set_counts(0, 0)
        record.set_counts(common.packets, common.octets)
        if common.ttl is not None:
            start(record, common.ttl)
        elif flags.reset_ttl:
            start(record, record.ttl)

    def _modify_default(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.key.fields:
            raise InvalidArgument(f"{self.name}: the default entry has no key")
        own, common = self._common.split(entry.data.fields)
        if common.ttl is not None:
            raise InvalidArgument(f"{self.name}: the default entry does not age")
        saved = replace(self.table.default)
        if entry.data.action_id or own:
            action, codec = self._action(entry.data.action_id)
            self.table.set_default(action, codec.decode(own))
        self.table.default.set_counts(common.packets, common.octets)
        journal.undo.append(partial(self.table.restore_default, saved))

    def _delete(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.is_default_entry:
            journal.undo.append(partial(self.table.restore_default, self.table.default))
            self.table.reset_default()
        elif not entry.HasField("key"):
            self._clear(journal)
        else:
            key = self.keys.decode(entry.key.fields)
            saved = self.table.save(key)
            try:
                self.table.delete(key)
            except NotFound:
                if not journal.ignore_not_found:
                    raise
                journal.note = Note.WAS_ABSENT
                return
            journal.undo.append(partial(self.table.restore, key, saved))

    def _clear(self, journal: Journal) -> None:
        entries, default = dict(self.table.entries), self.table.default
        self.table.clear()

        def restore() -> None:
            for key, record in entries.items():
                self.table.restore(key, record)
            self.table.restore_default(default)

        journal.undo.append(restore)

    def _insert_or_modify(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.is_default_entry:
            raise NotSupported(f"{self.name}: the default entry is always there; modify it")
        key = self.keys.decode(entry.key.fields)
        saved = self.table.save(key)
        if saved is None:
            self._insert_at(key, entry.data, journal)
            return
        action, codec = self._action(entry.data.action_id)
        own, _ = self._common.split(entry.data.fields)
        self.table.modify(key, action, codec.decode(own))
        journal.note = Note.WAS_PRESENT
        journal.undo.append(partial(self.table.restore, key, saved))

    def _check(self, common: Common) -> None:
        if common.ttl is not None:
            self.table.aging.require_ttl(common.ttl)

    def _action(self, id_: int) -> tuple[int, ValuesCodec]:
        try:
            return self._actions[id_]
        except KeyError:
            raise InvalidArgument(f"{self.name}: has no action of id {id_:#010x}") from None

    # Reading

    def read(self, entry: pb.TableEntry, view: View) -> None:
        """One entry, the default one, or all of them with the default one last."""
        if entry.WhichOneof("value") == "handle_id":
            raise NotSupported(f"{self.name}: entries cannot be read by handle")
        wanted = wanted_fields(entry.data)
        if entry.is_default_entry:
            self._add_default(view, wanted)
        elif entry.HasField("key"):
            key = self.keys.decode(entry.key.fields)
            record = self.table.get(key)
            action = entry.data.action_id
            if action and action != self._action_ids[record.result[1]]:
                raise InvalidArgument(f"{self.name}: the entry has another action than the one asked for")
            self._add(view, key, record, wanted)
        else:
            self._add_all(view, entry.data.action_id, wanted)

    def _add_all(self, view: View, action: int, wanted: frozenset[int]) -> None:
        found = False
        for key, record in self.table.entries.items():
            if not action or action == self._action_ids[record.result[1]]:
                self._add(view, key, record, wanted)
                found = True
            elif found:
                # bf_switchd leaves a bare entry for each one of another action behind the first that fits.
                view.add(self.id)
        self._add_default(view, wanted)

    def _add(self, view: View, key: EntryKey, record: Record, wanted: frozenset[int]) -> None:
        entry = view.add(self.id)
        self.keys.encode(key, entry.key)
        self._add_data(view, entry.data, record, wanted)
        if self._common.idle:
            self._common.add_idle(entry.data, record, self.table.aging.mode, wanted)

    def _add_default(self, view: View, wanted: frozenset[int]) -> None:
        entry = view.add(self.id)
        entry.is_default_entry = True
        self._add_data(view, entry.data, self.table.default, wanted)

    def _add_data(self, view: View, data: pb.TableData, record: Record, wanted: frozenset[int]) -> None:
        _, action, arguments = record.result
        data.action_id = self._action_ids[action]
        self._codecs[action].encode(arguments, data, wanted)
        if not self._plain:
            self._common.add_counts(data, view.counts_of(record), wanted)

    # Attributes

    def set_attribute(self, attribute: pb.TableAttribute, client: Client | None) -> None:
        """Set the idle time-out, or the entries' scope to all pipes; raises StateError."""
        kind = attribute.WhichOneof("attribute")
        if kind == "idle_table" and self.table.info.idle_timeout:
            self._set_idle(attribute.idle_table, client)
        elif kind == "entry_scope":
            if attribute.entry_scope.pipe_scope.predef != pb.Mode.ALL:
                raise NotSupported(f"{self.name}: its entries are those of all pipes")
        else:
            super().set_attribute(attribute, client)

    def get_attribute(self, attribute: pb.TableAttribute, answer: pb.TableAttribute) -> None:
        """Read the idle time-out or the entries' scope; raises NotSupported."""
        kind = attribute.WhichOneof("attribute")
        if kind == "idle_table" and self.table.info.idle_timeout:
            aging, idle = self.table.aging, answer.idle_table
            idle.ttl_query_interval, idle.enable = aging.interval, aging.enabled
            idle.min_ttl, idle.max_ttl = MINIMUM_INTERVAL, 0xFFFFFFFF
            idle.idle_table_mode = next(number for number, mode in _MODES.items() if mode is aging.mode)
        elif kind == "entry_scope":
            answer.entry_scope.gress_scope.predef = answer.entry_scope.pipe_scope.predef = pb.Mode.ALL
        else:
            super().get_attribute(attribute, answer)

    def _set_idle(self, idle: pb.IdleTable, client: Client | None) -> None:
        mode = _MODES[idle.idle_table_mode]
        if mode is Mode.NOTIFY and (client is None or not client.wants.enable_idletimeout_notifications):
            raise InvalidArgument(f"{self.name}: the client has not subscribed to idle notifications")
        self.table.aging.configure(mode, enabled=idle.enable, interval=idle.ttl_query_interval)
        if mode is Mode.NOTIFY and idle.enable and client is not None:
            self._age(self, client)
