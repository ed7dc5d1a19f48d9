"""Updates of one kind for one table, many of them: for thousands of updates a second.

All values of an exact-match entry have fixed lengths, so all its updates are the same bytes but for the values. Those
bytes are one big integer here, into which the values are shifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bfrt.codec import check_count, check_integer, encode_data, encode_key
from bfrt.errors import SchemaError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import Action, Kind, MatchType, TableSchema
from bfrt.update import Update, of


class Packer(Protocol):
    """Makes an update of the values of a key and the arguments of an action, in the order of the schema."""

    def __call__(self, key: Sequence[int], arguments: Sequence[int] = ()) -> Update:
        """Raises SchemaError for values that do not fit."""
        ...


def packer(table: TableSchema, type_: pb.Update.Type, action: Action | None) -> Packer:
    """A function that makes updates of `type_`: key and action, or only the key where `action` is None.

    Raises SchemaError unless every key field is an exact integer and every parameter a single integer; so does the
    function for values that do not fit.
    """
    parameters = () if action is None else action.fields
    fields = (*table.key, *parameters)
    for field in fields:
        if field.kind is not Kind.INTEGER or field.match is not MatchType.EXACT or field.repeated:
            raise SchemaError(f"{table.name}: {field.name} is not an exact integer; use insert(), modify(), delete()")
    template = _Template(table, type_, action)
    none = (0,) * len(fields)
    empty = template.number(none)
    length = template.length
    # A value of 1 differs from 0 in one bit of the message: that is where the field ends.
    ones = [(*none[:index], 1, *none[index + 1 :]) for index in range(len(fields))]
    shifts = [(template.number(values) ^ empty).bit_length() - 1 for values in ones]
    slots = tuple((field.width, shift) for field, shift in zip(fields, shifts, strict=True))
    keys, arity = len(table.key), len(parameters)
    of_key, of_data = slots[:keys], slots[keys:]

    def pack(key: Sequence[int], arguments: Sequence[int] = ()) -> Update:
        if len(key) != keys or len(arguments) != arity:
            raise _reason(table, action, key, arguments)
        bits = empty
        for value, (width, shift) in zip(key, of_key):  # noqa: B905 (counted above)
            if value >> width:
                raise _reason(table, action, key, arguments)
            bits |= value << shift
        for value, (width, shift) in zip(arguments, of_data):  # noqa: B905 (counted above)
            if value >> width:
                raise _reason(table, action, key, arguments)
            bits |= value << shift
        return Update(table, bits.to_bytes(length))

    return pack


class _Template:
    """The messages that the packer imitates."""

    def __init__(self, table: TableSchema, type_: pb.Update.Type, action: Action | None) -> None:
        self._table, self._type, self._action = table, type_, action
        self.length = 0

    def number(self, values: tuple[int, ...]) -> int:
        """The update with these values, as one big-endian integer; sets `length`, which is always the same."""
        key, arguments = values[: len(self._table.key)], values[len(self._table.key) :]
        entry = pb.TableEntry(table_id=self._table.id, key=encode_key(self._table, key))
        if self._action is not None:
            entry.data.CopyFrom(encode_data(self._table, self._action, arguments, {}))
        wire = of(self._table, self._type, pb.Entity(table_entry=entry)).wire
        self.length = len(wire)
        return int.from_bytes(wire)


def _reason(table: TableSchema, action: Action | None, key: Sequence[int], arguments: Sequence[int]) -> SchemaError:
    """What is wrong with values that do not fit."""
    parameters = () if action is None else action.fields
    try:
        check_count(table, "key", table.key, key)
        check_count(table, f"action {action.name}" if action else "a deletion", parameters, arguments)
        for field, value in zip((*table.key, *parameters), (*key, *arguments), strict=True):
            check_integer(table, field, value)
    except SchemaError as error:
        return error
    raise AssertionError("the values fit")
