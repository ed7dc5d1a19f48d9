"""Values to and from the messages of keys and actions, checked against the schema.

Integers travel as big-endian bytes, canonically the fewest that hold the value and at least one; receivers take more
of them if they are 0 (P4Runtime specification, "Bytestrings").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p4rt.errors import ProtocolError
from p4rt.proto import p4data_pb2 as data
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import Action, DigestSchema, Field, TableSchema
from rpc.fields import MatchType, check_count, check_integer, check_key_value
from rpc.values import KeyValue, Prefix, Range, Ternary

Octets = Callable[[Field, int], bytes]
"""The bytes of a field's value."""


def canonical(field: Field, value: int) -> bytes:
    """The fewest bytes that hold the value."""
    return value.to_bytes((value.bit_length() + 7) // 8 or 1)


def padded(field: Field, value: int) -> bytes:
    """As many bytes as any value of the field may need."""
    return value.to_bytes(field.size)


def encode_key(table: TableSchema, key: Sequence[KeyValue], octets: Octets = canonical) -> pb.TableEntry:
    """An entry with a key and nothing else, values in the order of the schema; raises SchemaError.

    Fields that match everything are left out; bits that do not matter (under a ternary mask, after a prefix) become 0.
    """
    check_count(table.name, "key", table.key, key)
    entry = pb.TableEntry(table_id=table.id)
    for field, value in zip(table.matches, key, strict=False):
        check_key_value(table.name, field, value)
        match = _ENCODERS[field.match](field, value, octets)
        if match is not None:
            match.field_id = field.id
            entry.match.append(match)
    if table.prioritised:
        entry.priority = check_integer(table.name, table.key[-1], key[-1])
    return entry


def decode_key(table: TableSchema, entry: pb.TableEntry) -> tuple[KeyValue, ...]:
    """The values of an entry's key in the order of the schema; raises ProtocolError."""
    given = {match.field_id: match for match in entry.match}
    values: list[KeyValue] = [_decoded(table, field, given.get(field.id)) for field in table.matches]
    if table.prioritised:
        values.append(entry.priority)
    return tuple(values)


def encode_action(
    table: TableSchema, action: Action, arguments: Sequence[int], octets: Octets = canonical
) -> pb.TableAction:
    """An action with its arguments in order; raises SchemaError."""
    check_count(table.name, f"action {action.name}", action.fields, arguments)
    params = [
        pb.Action.Param(param_id=field.id, value=octets(field, check_integer(table.name, field, value)))
        for field, value in zip(action.fields, arguments, strict=True)
    ]
    return pb.TableAction(action=pb.Action(action_id=action.id, params=params))


def decode_action(table: TableSchema, message: pb.TableAction) -> tuple[Action | None, tuple[int, ...]]:
    """The action of an entry and its arguments in order; raises ProtocolError."""
    if not message.HasField("action"):
        if kind := message.WhichOneof("type"):
            raise ProtocolError(f"{table.name}: an entry came with an {kind} in place of an action")
        return None, ()
    action = table.actions_by_id.get(message.action.action_id)
    if action is None:
        raise ProtocolError(f"{table.name}: an entry came with the unknown action id {message.action.action_id:#x}")
    given = {param.param_id: int.from_bytes(param.value) for param in message.action.params}
    try:
        return action, tuple([given[field.id] for field in action.fields])
    except KeyError as error:
        raise ProtocolError(f"{table.name}: {action.name} came without its parameter {error}") from None


def digest_decoder(schema: DigestSchema) -> Callable[[data.P4Data], tuple[int, ...]]:
    """A function that gives the members of a digest in the order of the schema; it raises ProtocolError."""
    count = len(schema.fields)

    def decode(message: data.P4Data) -> tuple[int, ...]:
        match message.WhichOneof("data"):
            case "struct":
                members = message.struct.members
            case "tuple":
                members = message.tuple.members
            case _:
                return (int.from_bytes(message.bitstring),)
        if len(members) != count:
            raise ProtocolError(f"{schema.name}: a digest came with {len(members)} members instead of {count}")
        return tuple([int.from_bytes(member.bitstring) for member in members])

    return decode


# ---- fields of keys; None is one that matches everything


def _exact(field: Field, value: KeyValue, octets: Octets) -> pb.FieldMatch | None:
    assert isinstance(value, int)
    return pb.FieldMatch(exact=pb.FieldMatch.Exact(value=octets(field, value)))


def _ternary(field: Field, value: KeyValue, octets: Octets) -> pb.FieldMatch | None:
    assert isinstance(value, Ternary)
    if not value.mask:
        return None
    ternary = pb.FieldMatch.Ternary(value=octets(field, value.value & value.mask), mask=octets(field, value.mask))
    return pb.FieldMatch(ternary=ternary)


def _lpm(field: Field, value: KeyValue, octets: Octets) -> pb.FieldMatch | None:
    assert isinstance(value, Prefix)
    if not value.length:
        return None
    free = field.width - value.length
    return pb.FieldMatch(
        lpm=pb.FieldMatch.LPM(value=octets(field, value.value >> free << free), prefix_len=value.length)
    )


def _range(field: Field, value: KeyValue, octets: Octets) -> pb.FieldMatch | None:
    assert isinstance(value, Range)
    if value == _everything(field):
        return None
    return pb.FieldMatch(range=pb.FieldMatch.Range(low=octets(field, value.low), high=octets(field, value.high)))


def _optional(field: Field, value: KeyValue, octets: Octets) -> pb.FieldMatch | None:
    if value is None:
        return None
    assert isinstance(value, int)
    return pb.FieldMatch(optional=pb.FieldMatch.Optional(value=octets(field, value)))


_ENCODERS: dict[MatchType, Callable[[Field, KeyValue, Octets], pb.FieldMatch | None]] = {
    MatchType.EXACT: _exact,
    MatchType.TERNARY: _ternary,
    MatchType.LPM: _lpm,
    MatchType.RANGE: _range,
    MatchType.OPTIONAL: _optional,
}


def _everything(field: Field) -> KeyValue:
    """What a field matches that is left out."""
    match field.match:
        case MatchType.TERNARY:
            return Ternary(0, 0)
        case MatchType.LPM:
            return Prefix(0, 0)
        case MatchType.RANGE:
            return Range(0, (1 << field.width) - 1)
    return None


def _decoded(table: TableSchema, field: Field, match: pb.FieldMatch | None) -> KeyValue:
    kind, decode = _DECODERS[field.match]
    if match is None and field.match is not MatchType.EXACT:
        return _everything(field)
    if match is None or not match.HasField(kind):
        raise ProtocolError(f"{table.name}: an entry came without its key field {field.name}")
    return decode(match)


_DECODERS: dict[MatchType, tuple[str, Callable[[pb.FieldMatch], KeyValue]]] = {
    MatchType.EXACT: ("exact", lambda match: int.from_bytes(match.exact.value)),
    MatchType.TERNARY: (
        "ternary",
        lambda match: Ternary(int.from_bytes(match.ternary.value), int.from_bytes(match.ternary.mask)),
    ),
    MatchType.LPM: ("lpm", lambda match: Prefix(int.from_bytes(match.lpm.value), match.lpm.prefix_len)),
    MatchType.RANGE: (
        "range",
        lambda match: Range(int.from_bytes(match.range.low), int.from_bytes(match.range.high)),
    ),
    MatchType.OPTIONAL: ("optional", lambda match: int.from_bytes(match.optional.value)),
}
