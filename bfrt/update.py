"""Updates of a Write, serialised when they are made, and their description in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bfrt.codec import decode_key
from bfrt.errors import BfrtError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import Field, MatchType, TableSchema
from bfrt.values import KeyValue, Prefix, Range, Ternary

_UPDATES = pb.WriteRequest.DESCRIPTOR.fields_by_name["updates"].number
_WIDE = 32
"""Integers of at least so many bits are written in hexadecimal, narrower ones (ports, paths) in decimal."""


class Update(NamedTuple):
    """One update of `table`; `wire` is a WriteRequest that holds nothing else.

    Serialised messages that are joined make one with all their repeated fields, so that a batch is joined, not built.
    """

    table: TableSchema
    wire: bytes

    @property
    def message(self) -> pb.Update:
        """The update, parsed again."""
        return pb.WriteRequest.FromString(self.wire).updates[0]

    def __str__(self) -> str:
        return describe(self.table, self.message.entity)


def of(table: TableSchema, type_: pb.Update.Type, entity: pb.Entity) -> Update:
    """An update from its message."""
    return Update(table, pb.WriteRequest(updates=[pb.Update(type=type_, entity=entity)]).SerializeToString())


def describe(table: TableSchema, entity: pb.Entity) -> str:
    """An entity in words, such as `connections(digest=0x12ab34cd)`."""
    kind = entity.WhichOneof("entity")
    if kind == "table_entry":
        entry = entity.table_entry
        if entry.is_default_entry:
            return f"{table.short_name}(default)"
        return describe_key(table, entry.key) if entry.HasField("key") else f"{table.short_name}(all)"
    if kind == "table_operation":
        return f"{table.short_name}({entity.table_operation.table_operations_type})"
    return f"{table.short_name}({(kind or 'nothing').removeprefix('table_')})"


def describe_key(table: TableSchema, key: pb.TableKey) -> str:
    """An entry in words, from its key."""
    try:
        values = decode_key(table, key)
    except BfrtError:
        return f"{table.short_name}(with a key that is not its own)"
    fields = zip(table.key, values, strict=True)
    return f"{table.short_name}({', '.join(f'{field.name}={_word(field, value)}' for field, value in fields)})"


def _word(field: Field, value: KeyValue) -> str:
    return _WORDS.get(field.match, _number)(field, value)


def _number(field: Field, value: object) -> str:
    if not isinstance(value, int):
        return "any" if value is None else repr(value)
    return f"{value:#0{2 + 2 * field.size}x}" if field.width >= _WIDE else str(value)


def _ternary(field: Field, value: KeyValue) -> str:
    assert isinstance(value, Ternary)
    return f"{value.value:#x}&{value.mask:#x}"


def _prefix(field: Field, value: KeyValue) -> str:
    assert isinstance(value, Prefix)
    return f"{_number(field, value.value)}/{value.length}"


def _range(field: Field, value: KeyValue) -> str:
    assert isinstance(value, Range)
    return f"{value.low}..{value.high}"


_WORDS: dict[MatchType, Callable[[Field, KeyValue], str]] = {
    MatchType.TERNARY: _ternary,
    MatchType.LPM: _prefix,
    MatchType.RANGE: _range,
}
