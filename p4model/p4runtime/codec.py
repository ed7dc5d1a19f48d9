"""Values, keys and actions to and from messages.

An unsigned value travels as big-endian bytes, the fewest that hold it, at least one (P4Runtime section 8.3). More bytes
are taken if they are zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p4model.objects import Action, Key, MatchKind
from p4model.p4runtime.status import OutOfRange
from p4model.state.errors import InvalidArgument
from p4model.state.record import EntryKey, has_priorities
from p4rt.proto import p4runtime_pb2 as pb

_MATCH_TYPES = {
    MatchKind.EXACT: "exact",
    MatchKind.TERNARY: "ternary",
    MatchKind.LPM: "lpm",
    MatchKind.RANGE: "range",
}


def encode(value: int) -> bytes:
    """The canonical bytes of a value."""
    return value.to_bytes((value.bit_length() + 7) // 8 or 1)


def decode(what: str, width: int, data: bytes) -> int:
    """A value of `width` bits from its bytes; raises OutOfRange, with `what` to name it."""
    value = int.from_bytes(data)
    if value >> width or not data:
        raise OutOfRange(f"{what}: {f'{value:#x} has more than {width} bits' if data else 'its value has no bytes'}")
    return value


class KeyCodec:
    """The keys of the entries of one table.

    The state takes the lower priority first, P4Runtime the higher: one is `top` less the other.
    """

    def __init__(self, table: str, keys: Sequence[Key], top: int = 0) -> None:
        self._table = table
        self._keys = dict(enumerate(keys, 1))
        self._top = top
        self._priority = has_priorities(tuple(keys))
        self._exact = {id_: key.width for id_, key in self._keys.items() if key.kind is MatchKind.EXACT}

    def decode(self, entry: pb.TableEntry) -> EntryKey:
        """The key of an entry; raises OutOfRange or InvalidArgument."""
        given: dict[int, pb.FieldMatch] = {}
        for field in entry.match:
            if field.field_id in given or field.field_id not in self._keys:
                twice = "is given twice" if field.field_id in given else "is none of the table's"
                raise InvalidArgument(f"{self._table}: the key field of id {field.field_id} {twice}")
            given[field.field_id] = field
        flat: list[int] = []
        for id_, key in self._keys.items():
            found = given.get(id_)
            flat += self._absent(key) if found is None else self._field(key, found)
        if not self._priority:
            if entry.priority:
                raise InvalidArgument(f"{self._table}: its entries have no priority, for no field is ternary or range")
        elif entry.priority <= 0:
            raise InvalidArgument(f"{self._table}: its entries need a priority above 0, for ternary and range fields")
        else:
            flat.append(self._top - entry.priority)
        return tuple(flat)

    def encode(self, key: EntryKey, entry: pb.TableEntry) -> None:
        """Write the key of an entry into a message, without the fields that match everything."""
        flat = iter(key)
        for id_, spec in self._keys.items():
            value = next(flat)
            ones = (1 << spec.width) - 1
            match spec.kind:
                case MatchKind.EXACT:
                    entry.match.add(field_id=id_).exact.value = encode(value)
                case MatchKind.RANGE:
                    high = next(flat)
                    if value or high != ones:
                        message = entry.match.add(field_id=id_).range
                        message.low, message.high = encode(value), encode(high)
                case MatchKind.TERNARY:
                    mask = next(flat)
                    if mask:
                        ternary = entry.match.add(field_id=id_).ternary
                        ternary.value, ternary.mask = encode(value), encode(mask)
                case MatchKind.LPM:
                    length = next(flat).bit_count()
                    if length:
                        lpm = entry.match.add(field_id=id_).lpm
                        lpm.value, lpm.prefix_len = encode(value), length
        if self._priority:
            entry.priority = self._top - next(flat)

    def _absent(self, key: Key) -> tuple[int, ...]:
        """What a field that is left out matches."""
        match key.kind:
            case MatchKind.EXACT:
                raise InvalidArgument(f"{self._what(key)}: is exact and cannot be left out")
            case MatchKind.RANGE:
                return 0, (1 << key.width) - 1
            case _:
                return 0, 0

    def _field(self, key: Key, field: pb.FieldMatch) -> tuple[int, ...]:
        what, width = self._what(key), key.width
        ones = (1 << width) - 1
        if not field.HasField(_MATCH_TYPES[key.kind]):
            raise InvalidArgument(f"{what}: has to be given as {_MATCH_TYPES[key.kind]}")
        match key.kind:
            case MatchKind.EXACT:
                return (decode(what, width, field.exact.value),)
            case MatchKind.RANGE:
                low = decode(f"{what} (low)", width, field.range.low)
                high = decode(f"{what} (high)", width, field.range.high)
                if low > high:
                    raise InvalidArgument(f"{what}: the range from {low} to {high} is empty")
                matched, everything = (low, high), (low, high) == (0, ones)
            case MatchKind.TERNARY:
                matched = (
                    decode(what, width, field.ternary.value),
                    decode(f"{what} (mask)", width, field.ternary.mask),
                )
                everything = not matched[1]
                if matched[0] & ~matched[1]:
                    raise InvalidArgument(f"{what}: {matched[0]:#x} has bits that its mask {matched[1]:#x} has not")
            case MatchKind.LPM:
                length, value = field.lpm.prefix_len, decode(what, width, field.lpm.value)
                if not 0 <= length <= width:
                    raise InvalidArgument(f"{what}: a prefix of {length} bits is not within its {width} bits")
                matched, everything = (value, ones ^ (ones >> length)), not length
                if value & ~matched[1]:
                    raise InvalidArgument(f"{what}: {value:#x} has bits behind its prefix of {length} bits")
        if everything:
            raise InvalidArgument(f"{what}: matches everything; leave it out")
        return matched

    def _what(self, key: Key) -> str:
        return f"{self._table}: key field {key.name}"


class ActionCodec:
    """The actions of one table, by their positions there."""

    def __init__(self, table: str, actions: Sequence[Action], ids: dict[str, int]) -> None:
        self._table = table
        self._ids = [ids[action.name] for action in actions]
        self._positions = {id_: position for position, id_ in enumerate(self._ids)}
        self._parameters = [dict(enumerate(action.parameters, 1)) for action in actions]
        self._actions = actions

    def decode(self, action: pb.TableAction) -> tuple[int, tuple[int, ...]]:
        """The position of an action and its arguments; raises InvalidArgument or OutOfRange."""
        if not action.HasField("action"):
            raise InvalidArgument(f"{self._table}: its entries have an action, not {action.WhichOneof('type')}")
        id_ = action.action.action_id
        position = self._positions.get(id_)
        if position is None:
            raise InvalidArgument(f"{self._table}: has no action of id {id_:#010x}")
        return position, self._arguments(position, action.action.params)

    def encode(self, position: int, arguments: Sequence[int], message: pb.TableAction) -> None:
        """Write an action into a message."""
        action = message.action
        action.action_id = self._ids[position]
        for id_, value in enumerate(arguments, 1):
            action.params.add(param_id=id_, value=encode(value))

    def _arguments(self, position: int, given: Iterable[pb.Action.Param]) -> tuple[int, ...]:
        parameters = self._parameters[position]
        values: dict[int, int] = {}
        for param in given:
            id_ = param.param_id
            if id_ in values or id_ not in parameters:
                twice = "is given twice" if id_ in values else "is none of the action's"
                raise InvalidArgument(f"{self._what(position)}: the parameter of id {id_} {twice}")
            values[id_] = decode(f"{self._what(position)}: {parameters[id_].name}", parameters[id_].width, param.value)
        missing = [parameter.name for id_, parameter in parameters.items() if id_ not in values]
        if missing:
            raise InvalidArgument(f"{self._what(position)}: lacks {', '.join(missing)}")
        return tuple(values[id_] for id_ in parameters)

    def _what(self, position: int) -> str:
        return f"{self._table}: {self._actions[position].name}"
