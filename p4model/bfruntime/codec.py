"""Values to and from the messages of keys and data.

A value of `width` bits travels as exactly ceil(width / 8) big-endian bytes; one that is longer, shorter or has a bit
above the width is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.fields import MATCH_PRIORITY
from p4model.objects import Field, Key, MatchKind
from p4model.state.errors import InvalidArgument
from p4model.state.record import EntryKey, has_priorities

_MATCH_FIELDS = {
    MatchKind.EXACT: "exact",
    MatchKind.TERNARY: "ternary",
    MatchKind.LPM: "lpm",
    MatchKind.RANGE: "range",
}


def octets(width: int) -> int:
    """The bytes that a value of `width` bits takes."""
    return (width + 7) // 8


def decode(what: str, width: int, data: bytes) -> int:
    """A value from its bytes; raises InvalidArgument, with `what` to name it."""
    if len(data) != octets(width):
        raise InvalidArgument(f"{what}: {len(data)} bytes are given, {width} bits take {octets(width)}")
    value = int.from_bytes(data)
    if value >> width:
        raise InvalidArgument(f"{what}: {value:#x} has more than {width} bits")
    return value


class KeyCodec:
    """The keys of one table."""

    def __init__(self, table: str, keys: Sequence[Key]) -> None:
        self._table = table
        self._keys = dict(enumerate(keys, 1))
        self._priority = has_priorities(tuple(keys))
        self._exact = {
            id_: (id_ - 1, octets(key.width), key.width)
            for id_, key in self._keys.items()
            if key.kind is MatchKind.EXACT
        }
        self._only_exact = len(self._exact) == len(keys)

    def decode(self, fields: Iterable[pb.KeyField]) -> EntryKey:
        """The key of an entry; fields that are left out match 0 (exact) or anything. Raises InvalidArgument."""
        if not self._only_exact:
            return self._decode_any(fields)
        values = [0] * len(self._exact)
        known = self._exact
        for field in fields:
            data = field.exact.value
            try:
                position, length, width = known[field.field_id]
            except KeyError:
                raise self._unknown(field) from None
            value = int.from_bytes(data)
            if len(data) != length or value >> width:
                raise self._refused(field)
            values[position] = value
        return tuple(values)

    def encode(self, key: EntryKey, message: pb.TableKey) -> None:
        """Write the key of an entry into a message."""
        flat = iter(key)
        for id_, spec in self._keys.items():
            field = message.fields.add()
            field.field_id = id_
            length = octets(spec.width)
            value = next(flat).to_bytes(length)
            match spec.kind:
                case MatchKind.EXACT:
                    field.exact.value = value
                case MatchKind.TERNARY:
                    field.ternary.value, field.ternary.mask = value, next(flat).to_bytes(length)
                case MatchKind.LPM:
                    field.lpm.value, field.lpm.prefix_len = value, next(flat).bit_count()
                case MatchKind.RANGE:
                    field.range.low, field.range.high = value, next(flat).to_bytes(length)
        if self._priority:
            field = message.fields.add()
            field.field_id = MATCH_PRIORITY.id
            field.exact.value = next(flat).to_bytes(4)

    def _decode_any(self, fields: Iterable[pb.KeyField]) -> EntryKey:
        given = {field.field_id: field for field in fields}
        flat: list[int] = []
        for id_, spec in self._keys.items():
            flat += self._decode_field(spec, given.pop(id_, None))
        if self._priority:
            field = given.pop(MATCH_PRIORITY.id, None)
            flat.append(0 if field is None else decode(self._what(MATCH_PRIORITY.name), 32, field.exact.value))
        for field in given.values():
            raise self._unknown(field)
        return tuple(flat)

    def _decode_field(self, spec: Key, field: pb.KeyField | None) -> tuple[int, ...]:
        ones = (1 << spec.width) - 1
        if field is None:
            return {MatchKind.EXACT: (0,), MatchKind.RANGE: (0, ones)}.get(spec.kind, (0, 0))
        what, width = self._what(spec.name), spec.width
        if not field.HasField(_MATCH_FIELDS[spec.kind]):
            raise InvalidArgument(f"{what}: has to be given as {_MATCH_FIELDS[spec.kind]}")
        match spec.kind:
            case MatchKind.EXACT:
                return (decode(what, width, field.exact.value),)
            case MatchKind.TERNARY:
                mask = decode(f"{what} (mask)", width, field.ternary.mask)
                return decode(what, width, field.ternary.value) & mask, mask
            case MatchKind.LPM:
                length = field.lpm.prefix_len
                if not 0 <= length <= width:
                    raise InvalidArgument(f"{what}: a prefix of {length} bits is not within its {width} bits")
                mask = ones ^ (ones >> length)
                return decode(what, width, field.lpm.value) & mask, mask
            case MatchKind.RANGE:
                low = decode(f"{what} (low)", width, field.range.low)
                high = decode(f"{what} (high)", width, field.range.high)
                if low > high:
                    raise InvalidArgument(f"{what}: the range from {low} to {high} is empty")
                return low, high

    def _what(self, field: str) -> str:
        return f"{self._table}: key field {field}"

    def _unknown(self, field: pb.KeyField) -> InvalidArgument:
        return InvalidArgument(f"{self._table}: has no key field of id {field.field_id}")

    def _refused(self, field: pb.KeyField) -> InvalidArgument:
        """Say what is wrong with an exact field."""
        spec = self._keys[field.field_id]
        try:
            self._decode_field(spec, field)
        except InvalidArgument as error:
            return error
        raise AssertionError(f"{spec.name} is refused without a reason")


class ValuesCodec:
    """Values with the ids 1 to n: the parameters of an action, the members of a register or of a digest."""

    def __init__(self, owner: str, members: Sequence[Field]) -> None:
        self._owner = owner
        self._members = members
        self._known = {id_: (id_ - 1, octets(one.width), one.width) for id_, one in enumerate(members, 1)}
        self._zeros = (0,) * len(members)

    def decode(self, fields: Iterable[pb.DataField], base: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """All values; those that are left out are as in `base`, or 0. Raises InvalidArgument."""
        values = list(base or self._zeros)
        known = self._known
        for field in fields:
            data = field.stream
            try:
                position, length, width = known[field.field_id]
            except KeyError:
                raise InvalidArgument(f"{self._owner}: has no field of id {field.field_id}") from None
            value = int.from_bytes(data)
            if len(data) != length or value >> width:
                decode(f"{self._owner}: {self._members[position].name}", width, data)
            values[position] = value
        return tuple(values)

    def encode(self, values: Sequence[int], data: pb.TableData, wanted: frozenset[int] = frozenset()) -> None:
        """Write values into a message, all of them or those whose ids are wanted."""
        for id_, stream in self.streams(values, wanted):
            field = data.fields.add()
            field.field_id, field.stream = id_, stream

    def streams(self, values: Sequence[int], wanted: frozenset[int] = frozenset()) -> list[tuple[int, bytes]]:
        """The bytes of values by field id, of all of them or of those that are wanted."""
        return [
            (id_, values[position].to_bytes(length))
            for id_, (position, length, _) in self._known.items()
            if not wanted or id_ in wanted
        ]
