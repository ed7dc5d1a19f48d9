"""Match-action tables as P4Runtime serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from p4model.objects import ActionScope, Counts
from p4model.p4runtime.ageing import Ageing
from p4model.p4runtime.codec import ActionCodec, KeyCodec
from p4model.p4runtime.schema import Schema
from p4model.p4runtime.status import PermissionDenied
from p4model.state.errors import InvalidArgument, NotSupported
from p4model.state.record import EntryKey, Record
from p4model.state.tables import MatchTable
from p4rt.proto import p4runtime_pb2 as pb

Clock = Callable[[], float]
"""Seconds since any time."""

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Notes:
    """What a controller gives along with an entry, to get it back."""

    controller_metadata: int = 0
    metadata: bytes = b""
    idle_timeout_ns: int = 0

    @classmethod
    def of(cls, entry: pb.TableEntry) -> _Notes:
        return cls(entry.controller_metadata, entry.metadata, entry.idle_timeout_ns)

    def write(self, entry: pb.TableEntry) -> None:
        entry.controller_metadata = self.controller_metadata
        entry.metadata = self.metadata
        entry.idle_timeout_ns = self.idle_timeout_ns


_NO_NOTES = _Notes()


class ServedTable:
    """One match-action table. Every method raises StateError for what the table refuses."""

    def __init__(self, schema: Schema, table: MatchTable, clock: Clock) -> None:
        info = table.info
        self.table = table
        self.id = schema.tables[info.name]
        self.name = info.name
        self.counts = info.direct_counter
        # The first of N const entries has the priority N, the last one 1.
        self._keys = KeyCodec(info.name, info.keys, len(info.const_entries or ()))
        self._actions = ActionCodec(info.name, info.actions, schema.actions)
        self._ageing = Ageing(table.entries)
        self._clock = clock
        self._notes: dict[EntryKey, _Notes] = {}
        self._default_notes = _NO_NOTES

    # Writing

    def insert(self, entry: pb.TableEntry) -> None:
        """Add an entry."""
        if entry.is_default_action:
            raise InvalidArgument(f"{self.name}: the default entry is always there; modify it")
        self._put(entry, self.table.insert)

    def modify(self, entry: pb.TableEntry) -> None:
        """Change what an entry does, or the default one; its counts stay unless they are given."""
        if entry.is_default_action:
            self._modify_default(entry)
        else:
            self._put(entry, self.table.modify)

    def delete(self, entry: pb.TableEntry) -> None:
        """Remove an entry."""
        if entry.is_default_action:
            raise InvalidArgument(f"{self.name}: the default entry is always there; modify it without an action")
        key = self._writable_key(entry)
        self.table.delete(key)
        self._notes.pop(key, None)
        self._ageing.forget(key)

    def _put(self, entry: pb.TableEntry, put: Callable[[EntryKey, int, tuple[int, ...]], Record]) -> None:
        key = self._writable_key(entry)
        action, arguments = self._action(entry, ActionScope.DEFAULT_ONLY)
        self._check(entry)
        record = put(key, action, arguments)
        if entry.HasField("counter_data"):
            set_counts(record, entry.counter_data)
        self._note(key, entry)

    def _modify_default(self, entry: pb.TableEntry) -> None:
        self._require_no_key(entry)
        if entry.idle_timeout_ns:
            raise InvalidArgument(f"{self.name}: the default entry does not age")
        self._check(entry)
        if entry.HasField("counter_data"):
            raise NotSupported(f"{self.name}: the default entry has no counter that can be set")
        if self.table.info.const_default:
            raise PermissionDenied(f"{self.name}: the program declares its default action const")
        if not entry.HasField("action"):
            self.table.reset_default()
            self._default_notes = _NO_NOTES
            return
        self.table.set_default(*self._action(entry, ActionScope.TABLE_ONLY))
        self._default_notes = _Notes.of(entry)

    def _writable_key(self, entry: pb.TableEntry) -> EntryKey:
        info = self.table.info
        if info.const_entries is not None:
            raise PermissionDenied(f"{self.name}: the program declares its entries const")
        if not info.keys:
            raise InvalidArgument(f"{self.name}: has no key, so it has a default entry only")
        return self._keys.decode(entry)

    def _action(self, entry: pb.TableEntry, forbidden: ActionScope) -> tuple[int, tuple[int, ...]]:
        if not entry.HasField("action"):
            raise InvalidArgument(f"{self.name}: the entry has no action")
        position, arguments = self._actions.decode(entry.action)
        action = self.table.info.actions[position]
        if action.scope is forbidden:
            use = "default entry" if entry.is_default_action else "entry but the default one"
            raise PermissionDenied(f"{self.name}: {action.name} is {forbidden.value}, so no {use} can have it")
        return position, arguments

    def _check(self, entry: pb.TableEntry) -> None:
        """Refuse what this table's entries do not have."""
        info = self.table.info
        for field in ("time_since_last_hit", "meter_config", "meter_counter_data"):
            if entry.HasField(field):
                raise InvalidArgument(f"{self.name}: {field} cannot be written")
        if entry.is_const:
            raise InvalidArgument(f"{self.name}: is_const cannot be written")
        if entry.idle_timeout_ns < 0 or (entry.idle_timeout_ns and not info.idle_timeout):
            reason = "is negative" if info.idle_timeout else "is given, but the table has no support_timeout"
            raise InvalidArgument(f"{self.name}: idle_timeout_ns {reason}")
        if entry.HasField("counter_data"):
            self._require_counter()

    def _note(self, key: EntryKey, entry: pb.TableEntry) -> None:
        notes = _Notes.of(entry)
        if notes == _NO_NOTES:
            self._notes.pop(key, None)
        else:
            self._notes[key] = notes
        if self.table.info.idle_timeout:
            self._ageing.start(key, notes.idle_timeout_ns / _NANOSECONDS, self._clock())

    # Reading

    def read(self, wanted: pb.TableEntry, response: pb.ReadResponse) -> None:
        """Add the entries that `wanted` selects (P4Runtime section 9.1.6); an absent one is no error."""
        if wanted.HasField("time_since_last_hit") and (wanted.is_default_action or not self.table.info.idle_timeout):
            what = "the default entry" if wanted.is_default_action else "a table without support_timeout"
            raise InvalidArgument(f"{self.name}: time_since_last_hit is asked for, which {what} does not have")
        if wanted.is_default_action:
            self._require_no_key(wanted)
            self._add_default(response.entities.add().table_entry)
            return
        const = self.table.info.const_entries is not None
        for key, record in self._selected(wanted):
            entry = pb.TableEntry(table_id=self.id, is_const=const)
            self._keys.encode(key, entry)
            self._actions.encode(*record.result[1:], entry.action)
            self._notes.get(key, _NO_NOTES).write(entry)
            if _fits(entry, wanted):
                if wanted.HasField("counter_data") and self.counts is not None:
                    entry.counter_data.CopyFrom(counter_data(self.counts, record.packets, record.octets))
                if wanted.HasField("time_since_last_hit"):
                    elapsed = self._ageing.elapsed(key, self._clock())
                    entry.time_since_last_hit.elapsed_ns = int(elapsed * _NANOSECONDS)
                response.entities.add().table_entry.CopyFrom(entry)

    def _selected(self, wanted: pb.TableEntry) -> Iterator[tuple[EntryKey, Record]]:
        if not wanted.match:
            yield from self.table.entries.items()
            return
        key = self._keys.decode(wanted)
        record = self.table.entries.get(key)
        if record is not None:
            yield key, record

    def _add_default(self, entry: pb.TableEntry) -> None:
        entry.table_id, entry.is_default_action = self.id, True
        self._actions.encode(*self.table.default.result[1:], entry.action)
        self._default_notes.write(entry)

    # Direct counters

    def write_counter(self, written: pb.DirectCounterEntry) -> None:
        """Set the counts of an entry."""
        self._require_counter()
        _, record = self._counted(written.table_entry)
        set_counts(record, written.data)

    def read_counters(self, wanted: pb.TableEntry, response: pb.ReadResponse) -> None:
        """Add the counts of an entry, or of all but the default one."""
        counts = self._require_counter()
        one = wanted.match or wanted.is_default_action
        for key, record in (self._counted(wanted),) if one else self.table.entries.items():
            answer = response.entities.add().direct_counter_entry
            answer.table_entry.table_id = self.id
            self._keys.encode(key, answer.table_entry)
            answer.data.CopyFrom(counter_data(counts, record.packets, record.octets))

    def _counted(self, entry: pb.TableEntry) -> tuple[EntryKey, Record]:
        if entry.is_default_action:
            raise NotSupported(f"{self.name}: the counter of the default entry cannot be read or set")
        key = self._keys.decode(entry)
        return key, self.table.get(key)

    def _require_counter(self) -> Counts:
        if self.counts is None:
            raise InvalidArgument(f"{self.name}: has no direct counter")
        return self.counts

    def _require_no_key(self, entry: pb.TableEntry) -> None:
        if entry.match or entry.priority:
            raise InvalidArgument(f"{self.name}: the default entry has neither key nor priority")

    # Idle time-outs

    def idle(self) -> Iterator[pb.TableEntry]:
        """The entries to be told as idle now, by their keys."""
        for key in self._ageing.sweep(self._clock()):
            entry = pb.TableEntry(table_id=self.id)
            self._keys.encode(key, entry)
            self._notes[key].write(entry)
            yield entry


def _fits(entry: pb.TableEntry, wanted: pb.TableEntry) -> bool:
    """Whether the filters of a read let an entry pass."""
    return (
        wanted.action.action.action_id in (0, entry.action.action.action_id)
        and wanted.priority in (0, entry.priority)
        and wanted.controller_metadata in (0, entry.controller_metadata)
        and wanted.metadata in (b"", entry.metadata)
    )


def counter_data(counts: Counts, packets: int, octets: int) -> pb.CounterData:
    """The message of counts; what the counter does not count stays 0."""
    return pb.CounterData(
        packet_count=0 if counts is Counts.BYTES else packets,
        byte_count=0 if counts is Counts.PACKETS else octets,
    )


def set_counts(record: Record, data: pb.CounterData) -> None:
    """Set the counts of an entry."""
    record.set_counts(data.packet_count, data.byte_count)
