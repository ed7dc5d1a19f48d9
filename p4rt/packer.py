"""Updates of one kind for one table, many of them; their values are padded with zeros to the width of their fields."""

from __future__ import annotations

from collections.abc import Sequence

import rpc.packer
from p4rt.codec import encode_action, encode_key, padded
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import Action, TableSchema
from p4rt.update import Update, of

Packer = rpc.packer.Packer[Update]
"""Makes an update of the values of a key and the arguments of an action, in the order of the schema."""


def packer(table: TableSchema, type_: pb.Update.Type, action: Action | None, idle_timeout_ns: int = 0) -> Packer:
    """A function that makes updates of `type_`: key and action, or only the key where `action` is None.

    Raises SchemaError unless every key field is exact; so does the function for values that do not fit.
    """

    def serialised(key: Sequence[int], arguments: Sequence[int]) -> bytes:
        entry = encode_key(table, key, padded)
        if action is not None:
            entry.action.CopyFrom(encode_action(table, action, arguments, padded))
            entry.idle_timeout_ns = idle_timeout_ns
        return of(table, type_, pb.Entity(table_entry=entry)).wire

    what = f"action {action.name}" if action else "a deletion"
    parameters = () if action is None else action.fields
    return rpc.packer.packer(
        table.name, what, table.matches, parameters, serialised, lambda wire: Update(table, type_, wire)
    )
