"""Updates of a Write, serialised when they are made, and their description in words."""

from __future__ import annotations

from typing import NamedTuple

from bfrt.codec import decode_key
from bfrt.errors import BfrtError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from rpc import fields

_UPDATES = pb.WriteRequest.DESCRIPTOR.fields_by_name["updates"].number


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
        return fields.describe_key(table.short_name, table.key, decode_key(table, key))
    except BfrtError:
        return f"{table.short_name}(with a key that is not its own)"
