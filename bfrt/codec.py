"""Values to and from the messages of keys and data, checked against the schema.

Integers travel as big-endian bytes, exactly ceil(width / 8) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bfrt.errors import ProtocolError, SchemaError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import Action, Field, Kind, LearnFilter, TableSchema
from bfrt.values import DataValue
from rpc.fields import MatchType, check_count, check_integer, check_key_value
from rpc.values import KeyValue, Prefix, Range, Ternary


def encode_key(table: TableSchema, key: Sequence[KeyValue]) -> pb.TableKey:
    """The key of an entry, its values in the order of the schema; raises SchemaError."""
    check_count(table.name, "key", table.key, key)
    fields = [_KEY_ENCODERS[field.match](table, field, value) for field, value in zip(table.key, key, strict=True)]
    return pb.TableKey(fields=fields)


def decode_key(table: TableSchema, key: pb.TableKey) -> tuple[KeyValue, ...]:
    """The values of a key in the order of the schema; raises ProtocolError."""
    fields = {field.field_id: field for field in key.fields}
    try:
        return tuple(_KEY_DECODERS[field.match](table, field, fields[field.id]) for field in table.key)
    except KeyError as error:
        raise ProtocolError(f"{table.name}: an entry came without its key field {error}") from None


def encode_data(
    table: TableSchema, action: Action | None, arguments: Sequence[DataValue], fields: Mapping[str, DataValue]
) -> pb.TableData:
    """The data of an entry: all parameters of its action in order, and `fields` of the table; raises SchemaError."""
    data = pb.TableData()
    if action is not None:
        data.action_id = action.id
        check_count(table.name, f"action {action.name}", action.fields, arguments)
        for field, argument in zip(action.fields, arguments, strict=True):
            _encode(table, field, argument, data.fields.add())
    elif arguments:
        raise SchemaError(f"{table.name}: arguments were given without an action")
    for name, value in fields.items():
        _encode(table, table.data.find(name), value, data.fields.add())
    return data


def decode_data(
    table: TableSchema, data: pb.TableData
) -> tuple[Action | None, tuple[DataValue, ...], dict[str, DataValue]]:
    """The action of an entry, its arguments in order, and its other fields by name; raises ProtocolError.

    A field that comes several times, as registers do (once per pipe), becomes a tuple; fields of unsupported types are
    left out.
    """
    action = table.actions_by_id.get(data.action_id)
    if action is None and data.action_id:
        raise ProtocolError(f"{table.name}: an entry came with the unknown action id {data.action_id:#x}")
    arguments: dict[int, DataValue] = {}
    fields: dict[str, DataValue] = {}
    for item in data.fields:
        if action is not None and item.field_id in action.fields_by_id:
            arguments[item.field_id] = _decode(table, action.fields_by_id[item.field_id], item)
            continue
        field = table.data_by_id.get(item.field_id)
        if field is None:
            raise ProtocolError(f"{table.name}: an entry came with the unknown field id {item.field_id}")
        if field.kind is not Kind.UNSUPPORTED:
            value = _decode(table, field, item)
            # Numbers that come once per pipe; repeated fields come whole, as tuples.
            fields[field.name] = value if field.name not in fields else _joined(fields[field.name], value)
    if action is None:
        return None, (), fields
    try:
        return action, tuple(arguments[field.id] for field in action.fields), fields
    except KeyError as error:
        raise ProtocolError(f"{table.name}: {action.name} came without its parameter {error}") from None


def digest_decoder(schema: LearnFilter) -> Callable[[pb.TableData], tuple[int, ...]]:
    """A function that gives the members of a digest in the order of the schema; it raises ProtocolError."""
    ids = [field.id for field in schema.fields]

    def decode(data: pb.TableData) -> tuple[int, ...]:
        members = {field.field_id: field.stream for field in data.fields}
        try:
            return tuple([int.from_bytes(members[id_]) for id_ in ids])
        except KeyError as error:
            raise ProtocolError(f"{schema.name}: a digest came without its field {error}") from None

    return decode


def _bytes(field: Field, value: object) -> bytes:
    """Of an integer that was checked."""
    assert isinstance(value, int)
    return value.to_bytes(field.size)


def _integer(table: TableSchema, field: Field, value: bytes) -> int:
    if len(value) != field.size:
        raise ProtocolError(f"{table.name}: {field.name} came with {len(value)} bytes instead of {field.size}")
    return int.from_bytes(value)


# ---- keys


def _exact(table: TableSchema, field: Field, value: KeyValue) -> pb.KeyField:
    if field.kind is Kind.STRING:
        if not isinstance(value, str):
            raise SchemaError(f"{table.name}: key field {field.name} is a string, not {value!r}")
        return pb.KeyField(field_id=field.id, exact=pb.KeyField.Exact(value=value.encode()))
    if field.kind is not Kind.INTEGER:
        raise SchemaError(f"{table.name}: key field {field.name} is {field.kind.value}")
    check_key_value(table.name, field, value)
    return pb.KeyField(field_id=field.id, exact=pb.KeyField.Exact(value=_bytes(field, value)))


def _ternary(table: TableSchema, field: Field, value: KeyValue) -> pb.KeyField:
    check_key_value(table.name, field, value)
    assert isinstance(value, Ternary)
    ternary = pb.KeyField.Ternary(value=_bytes(field, value.value), mask=_bytes(field, value.mask))
    return pb.KeyField(field_id=field.id, ternary=ternary)


def _lpm(table: TableSchema, field: Field, value: KeyValue) -> pb.KeyField:
    check_key_value(table.name, field, value)
    assert isinstance(value, Prefix)
    prefix = pb.KeyField.LPM(value=_bytes(field, value.value), prefix_len=value.length)
    return pb.KeyField(field_id=field.id, lpm=prefix)


def _range(table: TableSchema, field: Field, value: KeyValue) -> pb.KeyField:
    check_key_value(table.name, field, value)
    assert isinstance(value, Range)
    bounds = pb.KeyField.Range(low=_bytes(field, value.low), high=_bytes(field, value.high))
    return pb.KeyField(field_id=field.id, range=bounds)


def _optional(table: TableSchema, field: Field, value: KeyValue) -> pb.KeyField:
    check_key_value(table.name, field, value)
    content = _bytes(field, value or 0)
    return pb.KeyField(field_id=field.id, optional=pb.KeyField.Optional(value=content, is_valid=value is not None))


_KEY_ENCODERS: dict[MatchType, Callable[[TableSchema, Field, KeyValue], pb.KeyField]] = {
    MatchType.EXACT: _exact,
    MatchType.TERNARY: _ternary,
    MatchType.LPM: _lpm,
    MatchType.RANGE: _range,
    MatchType.OPTIONAL: _optional,
}


def _exact_value(table: TableSchema, field: Field, item: pb.KeyField) -> KeyValue:
    value = item.exact.value
    return value.decode(errors="replace") if field.kind is Kind.STRING else _integer(table, field, value)


_KEY_DECODERS: dict[MatchType, Callable[[TableSchema, Field, pb.KeyField], KeyValue]] = {
    MatchType.EXACT: _exact_value,
    MatchType.TERNARY: lambda table, field, item: Ternary(
        _integer(table, field, item.ternary.value), _integer(table, field, item.ternary.mask)
    ),
    MatchType.LPM: lambda table, field, item: Prefix(_integer(table, field, item.lpm.value), item.lpm.prefix_len),
    MatchType.RANGE: lambda table, field, item: Range(
        _integer(table, field, item.range.low), _integer(table, field, item.range.high)
    ),
    MatchType.OPTIONAL: lambda table, field, item: (
        _integer(table, field, item.optional.value) if item.optional.is_valid else None
    ),
}


# ---- data


def _encode(table: TableSchema, field: Field, value: DataValue, into: pb.DataField) -> None:
    into.field_id = field.id
    if field.kind is Kind.UNSUPPORTED:
        raise SchemaError(f"{table.name}: {field.name} is {field.kind.value}")
    if not field.repeated:
        _set_single(table, field, value, into)
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SchemaError(f"{table.name}: {field.name} is a list, not {value!r}")
    for each in value:
        _check(table, field, each)
    # A list that is empty still has to be there.
    array: Any = getattr(into, _ARRAYS[field.kind])
    array.SetInParent()
    array.val.extend(value)


def _set_single(table: TableSchema, field: Field, value: object, into: pb.DataField) -> None:
    _check(table, field, value)
    if field.kind is Kind.INTEGER:
        into.stream = _bytes(field, value)
    else:
        setattr(into, _SINGLES[field.kind], value)


def _check(table: TableSchema, field: Field, value: object) -> None:
    if field.kind is Kind.INTEGER:
        check_integer(table.name, field, value)
    elif not isinstance(value, _TYPES[field.kind]):
        raise SchemaError(f"{table.name}: {field.name} is {field.kind.value}, not {value!r}")
    elif field.choices and value not in field.choices:
        raise SchemaError(f"{table.name}: {field.name} is one of {', '.join(field.choices)}, not {value!r}")


def _decode(table: TableSchema, field: Field, item: pb.DataField) -> DataValue:
    if field.repeated:
        return tuple(getattr(item, _ARRAYS[field.kind]).val)
    if field.kind is Kind.INTEGER:
        return _integer(table, field, item.stream)
    value: DataValue = getattr(item, _SINGLES[field.kind])
    return value


def _joined(first: DataValue, more: DataValue) -> DataValue:
    return (*first, more) if isinstance(first, tuple) else (first, more)


_TYPES: dict[Kind, type | tuple[type, ...]] = {Kind.BOOL: bool, Kind.STRING: str, Kind.FLOAT: (float, int)}
_SINGLES = {Kind.BOOL: "bool_val", Kind.STRING: "str_val", Kind.FLOAT: "float_val"}
_ARRAYS = {Kind.INTEGER: "int_arr_val", Kind.BOOL: "bool_arr_val", Kind.STRING: "str_arr_val"}
