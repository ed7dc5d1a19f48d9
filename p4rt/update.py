"""Updates of a Write, serialised when they are made, and their description in words."""

from __future__ import annotations

from typing import NamedTuple

from p4rt.codec import decode_key
from p4rt.errors import ProtocolError
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import CounterSchema, DigestSchema, TableSchema
from rpc.fields import describe_key


class Update(NamedTuple):
    """One update of `table` (or a counter, a digest); `wire` is a WriteRequest that holds nothing else.

    Serialised messages that are joined make one with all their repeated fields, so that a batch is joined, not built.
    """

    table: TableSchema | CounterSchema | DigestSchema
    type: pb.Update.Type
    wire: bytes

    @property
    def entity(self) -> pb.Entity:
        """What it is about, parsed again."""
        return pb.WriteRequest.FromString(self.wire).updates[0].entity

    def __str__(self) -> str:
        if not isinstance(self.table, TableSchema):
            return self.table.name
        return describe(self.table, self.entity.table_entry)


def of(table: TableSchema | CounterSchema | DigestSchema, type_: pb.Update.Type, entity: pb.Entity) -> Update:
    """An update from its message."""
    wire = pb.WriteRequest(updates=[pb.Update(type=type_, entity=entity)]).SerializeToString()
    return Update(table, type_, wire)


def describe(table: TableSchema, entry: pb.TableEntry) -> str:
    """An entry in words, such as `connections(digest=0x12ab34cd)`."""
    if entry.is_default_action:
        return f"{table.short_name}(default)"
    try:
        return describe_key(table.short_name, table.key, decode_key(table, entry))
    except ProtocolError:
        return f"{table.short_name}(with a key that is not its own)"
