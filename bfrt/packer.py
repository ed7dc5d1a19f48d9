"""Updates of one kind for one table, many of them: all values of an exact-match entry have fixed lengths in BfRt."""

from __future__ import annotations

from collections.abc import Sequence

import rpc.packer
from bfrt.codec import encode_data, encode_key
from bfrt.errors import SchemaError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import Action, Kind, TableSchema
from bfrt.update import Update, of

Packer = rpc.packer.Packer[Update]
"""Makes an update of the values of a key and the arguments of an action, in the order of the schema."""


def packer(table: TableSchema, type_: pb.Update.Type, action: Action | None) -> Packer:
    """A function that makes updates of `type_`: key and action, or only the key where `action` is None.

    Raises SchemaError unless every key field is an exact integer and every parameter a single integer; so does the
    function for values that do not fit.
    """
    parameters = () if action is None else action.fields
    for field in (*table.key, *parameters):
        if field.kind is not Kind.INTEGER or field.repeated:
            raise SchemaError(f"{table.name}: {field.name} is not an exact integer; use insert(), modify(), delete()")

    def serialised(key: Sequence[int], arguments: Sequence[int]) -> bytes:
        entry = pb.TableEntry(table_id=table.id, key=encode_key(table, key))
        if action is not None:
            entry.data.CopyFrom(encode_data(table, action, arguments, {}))
        return of(table, type_, pb.Entity(table_entry=entry)).wire

    what = f"action {action.name}" if action else "a deletion"
    return rpc.packer.packer(table.name, what, table.key, parameters, serialised, lambda wire: Update(table, wire))
