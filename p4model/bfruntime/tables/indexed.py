"""Indirect counters and registers as BfRt serves them: every index has an entry, always."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import partial

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime import fields
from p4model.bfruntime.codec import ValuesCodec, decode
from p4model.bfruntime.schema import Schema, member_name
from p4model.bfruntime.tables.base import ALL_PIPES, Journal, ServedTable, View, wanted_fields
from p4model.bfruntime.tables.common import Common, CountFields
from p4model.state.errors import InvalidArgument, NotSupported
from p4model.state.indexed import IndexedCounter, IndexedRegister, require_index


class ServedIndexedTable(ServedTable, ABC):
    """An array with one index as its key."""

    def __init__(self, id_: int, name: str, index: fields.SpecialField, size: int) -> None:
        super().__init__(id_, name)
        self._index = index
        self._size = size
        self.writers = {
            pb.Update.INSERT: self._write,
            pb.Update.MODIFY: self._write,
            pb.Update.INSERT_OR_MODIFY: self._write,
            pb.Update.DELETE: self._clear,
        }

    def usage(self) -> int:
        """The size, for all entries exist."""
        return self._size

    def read(self, entry: pb.TableEntry, view: View) -> None:
        """One entry or all of them."""
        if entry.is_default_entry:
            raise NotSupported(f"{self.name}: has no default entry")
        wanted = wanted_fields(entry.data)
        indexes = (self._index_of(entry),) if entry.HasField("key") else range(self._size)
        # All entries look alike, so one is filled in anew for each index.
        read = view.blank(self.id)
        key = read.table_entry.key.fields.add()
        key.field_id = self._index.id
        fields = read.table_entry.data.fields
        fields.extend(self._fields(view, wanted))
        for index in indexes:
            key.exact.value = index.to_bytes(4)
            for position, stream in enumerate(self._streams(index, view, wanted)):
                fields[position].stream = stream
            view.response.entities.append(read)

    def _index_of(self, entry: pb.TableEntry) -> int:
        if entry.is_default_entry:
            raise NotSupported(f"{self.name}: has no default entry")
        values = {field.field_id: field.exact.value for field in entry.key.fields}
        if values.keys() != {self._index.id}:
            raise InvalidArgument(f"{self.name}: the key has to be {self._index.name} (field id {self._index.id})")
        index = decode(f"{self.name}: {self._index.name}", 32, values[self._index.id])
        require_index(self.name, index, self._size)
        return index

    def _clear(self, entry: pb.TableEntry, journal: Journal) -> None:
        if entry.HasField("key"):
            raise NotSupported(f"{self.name}: single entries cannot be deleted")
        self._clear_all(journal)

    @abstractmethod
    def _write(self, entry: pb.TableEntry, journal: Journal) -> None:
        """Write the entry of one index."""

    @abstractmethod
    def _clear_all(self, journal: Journal) -> None:
        """Set every entry to zero."""

    @abstractmethod
    def _fields(self, view: View, wanted: frozenset[int]) -> Iterable[pb.DataField]:
        """The data of an entry that holds nothing but zeros."""

    @abstractmethod
    def _streams(self, index: int, view: View, wanted: frozenset[int]) -> Iterable[bytes]:
        """What the first fields of an entry hold; the others hold zeros."""


class ServedCounter(ServedIndexedTable):
    """One indirect counter; it reads as the sum of all pipes unless one of them is asked for."""

    def __init__(self, schema: Schema, counter: IndexedCounter) -> None:
        name = schema.qualified(counter.info.name)
        super().__init__(schema.counters[name], name, fields.COUNTER_INDEX, counter.info.size)
        self._counter = counter
        self._counts = CountFields(name, counter.info.counts)
        self.operations = {"Sync": counter.synchronise, "SyncCounters": counter.synchronise}

    def _write(self, entry: pb.TableEntry, journal: Journal) -> None:
        index = self._index_of(entry)
        given = Common()
        for field in entry.data.fields:
            if not self._counts.decode(field, given):
                raise InvalidArgument(f"{self.name}: has no field of id {field.field_id}")
        saved = self._counter.read(index, from_hardware=True)
        self._counter.write(index, given.packets, given.octets)
        journal.undo.append(partial(self._counter.write, index, *saved))

    def _clear_all(self, journal: Journal) -> None:
        saved = [self._counter.read(index, from_hardware=True) for index in range(self._size)]
        self._counter.clear()

        def restore() -> None:
            for index, counts in enumerate(saved):
                self._counter.write(index, *counts)

        journal.undo.append(restore)

    def _fields(self, view: View, wanted: frozenset[int]) -> Iterable[pb.DataField]:
        data = pb.TableData()
        self._counts.encode(0, 0, data, wanted)
        return data.fields

    def _streams(self, index: int, view: View, wanted: frozenset[int]) -> Iterable[bytes]:
        if view.pipe not in (0, ALL_PIPES):
            return ()
        counts = self._counter.read(index, from_hardware=view.from_hardware)
        return [stream for _, stream in self._counts.streams(*counts, wanted)]


class ServedRegister(ServedIndexedTable):
    """One register. The program's one state is that of pipe 0; the other pipes hold zeros."""

    def __init__(self, schema: Schema, register: IndexedRegister, pipes: int) -> None:
        info = register.info
        name = schema.qualified(info.name)
        super().__init__(schema.registers[name], name, fields.REGISTER_INDEX, info.size)
        self._register = register
        self._values = ValuesCodec(name, [type(one)(member_name(info, one), one.width) for one in info.members])
        self._pipes = pipes
        self.operations = {"Sync": register.synchronise, "SyncRegisters": register.synchronise}

    def _write(self, entry: pb.TableEntry, journal: Journal) -> None:
        index = self._index_of(entry)
        saved = self._register.get(index, from_hardware=True)
        self._register.set(index, self._values.decode(entry.data.fields, saved))
        journal.undo.append(partial(self._register.set, index, saved))

    def _clear_all(self, journal: Journal) -> None:
        saved = [self._register.get(index, from_hardware=True) for index in range(self._size)]
        self._register.clear()

        def restore() -> None:
            for index, value in enumerate(saved):
                self._register.set(index, value)

        journal.undo.append(restore)

    def _fields(self, view: View, wanted: frozenset[int]) -> Iterable[pb.DataField]:
        data = pb.TableData()
        for _ in range(self._pipes if view.pipe == ALL_PIPES else 1):
            self._values.encode([0] * len(self._register.info.members), data, wanted)
        return data.fields

    def _streams(self, index: int, view: View, wanted: frozenset[int]) -> Iterable[bytes]:
        if view.pipe not in (0, ALL_PIPES):
            return ()
        value = self._register.get(index, from_hardware=view.from_hardware)
        return [stream for _, stream in self._values.streams(value, wanted)]
