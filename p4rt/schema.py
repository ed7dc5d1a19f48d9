"""What a program offers to a client, from its P4Info.

Names are resolved here, once; ids never leave this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from p4rt.errors import SchemaError
from p4rt.proto import p4info_pb2 as config
from p4rt.proto import p4types_pb2 as types
from rpc.fields import MatchType
from rpc.names import Names

_MATCH_TYPES = {
    config.MatchField.EXACT: MatchType.EXACT,
    config.MatchField.LPM: MatchType.LPM,
    config.MatchField.TERNARY: MatchType.TERNARY,
    config.MatchField.RANGE: MatchType.RANGE,
    config.MatchField.OPTIONAL: MatchType.OPTIONAL,
}
_PRIORITISED = frozenset({MatchType.TERNARY, MatchType.RANGE, MatchType.OPTIONAL})
_PRIORITY_BITS = 31


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a key or a digest, or a parameter of an action; `width` in bits."""

    id: int
    name: str
    width: int
    match: MatchType = MatchType.EXACT

    @property
    def size(self) -> int:
        """Bytes that every value of it fits into."""
        return (self.width + 7) // 8


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its parameters."""

    id: int
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TableSchema:
    """A table: `size` entries, its match fields, and its actions.

    `key` is what an entry goes by: the match fields, and in a `prioritised` table, whose fields are not all exact or
    LPM, the priority after them.
    """

    id: int
    name: str
    size: int
    matches: tuple[Field, ...]
    prioritised: bool
    idle_timeout: bool
    """Whether entries may age."""
    counted: bool
    """Whether entries have counters."""
    actions: Names[Action] = field(repr=False)
    actions_by_id: Mapping[int, Action] = field(repr=False)

    @property
    def key(self) -> tuple[Field, ...]:
        """The values that an entry's key takes."""
        return (*self.matches, _PRIORITY) if self.prioritised else self.matches

    @property
    def short_name(self) -> str:
        """The last part of the name, for messages."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True, eq=False)
class CounterSchema:
    """An indirect counter of `size` indexes."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class DigestSchema:
    """A digest: a struct or tuple of integers, or a single integer."""

    id: int
    name: str
    fields: tuple[Field, ...]


class Schema:
    """The tables, counters and digests of a program, by unique dotted suffix."""

    def __init__(self, info: config.P4Info) -> None:
        """Raises SchemaError for what this client does not know."""
        actions = {action.preamble.id: _action(action) for action in info.actions}
        self.tables = tuple(_table(table, actions, _counted(info)) for table in info.tables)
        self.counters = tuple(CounterSchema(each.preamble.id, each.preamble.name, each.size) for each in info.counters)
        self.digests = tuple(_digest(each, info.type_info) for each in info.digests)
        self.tables_by_id = {table.id: table for table in self.tables}
        self._tables = Names("table", "in the program", {each.name: each for each in self.tables})
        self._counters = Names("counter", "in the program", {each.name: each for each in self.counters})
        self._digests = Names("digest", "in the program", {each.name: each for each in self.digests})

    def table(self, name: str) -> TableSchema:
        """A table by its name or a unique dotted suffix of it; raises SchemaError."""
        return self._tables.find(name)

    def counter(self, name: str) -> CounterSchema:
        """An indirect counter by its name or a unique dotted suffix of it; raises SchemaError."""
        return self._counters.find(name)

    def digest(self, name: str) -> DigestSchema:
        """A digest by its name or a unique dotted suffix of it; raises SchemaError."""
        return self._digests.find(name)


_PRIORITY = Field(0, "priority", _PRIORITY_BITS)


def _counted(info: config.P4Info) -> frozenset[int]:
    return frozenset(counter.direct_table_id for counter in info.direct_counters)


def _table(item: config.Table, actions: Mapping[int, Action], counted: Iterable[int]) -> TableSchema:
    id_, name = item.preamble.id, item.preamble.name
    matches = tuple(_match(name, each) for each in item.match_fields)
    try:
        own = [actions[reference.id] for reference in item.action_refs]
    except KeyError as error:
        raise SchemaError(f"{name}: P4Info has no action of id {error}") from None
    return TableSchema(
        id=id_,
        name=name,
        size=item.size,
        matches=matches,
        prioritised=any(each.match in _PRIORITISED for each in matches),
        idle_timeout=item.idle_timeout_behavior == config.Table.NOTIFY_CONTROL,
        counted=id_ in counted,
        actions=Names("action", f"of table {name}", {action.name: action for action in own}),
        actions_by_id={action.id: action for action in own},
    )


def _match(table: str, item: config.MatchField) -> Field:
    match = _MATCH_TYPES.get(item.match_type)
    if match is None:
        raise SchemaError(f"{table}: key field {item.name} matches in a way that P4Runtime does not name")
    return Field(item.id, item.name, item.bitwidth, match)


def _action(item: config.Action) -> Action:
    fields = tuple(Field(each.id, each.name, each.bitwidth) for each in item.params)
    return Action(item.preamble.id, item.preamble.name, fields)


def _digest(item: config.Digest, info: types.P4TypeInfo) -> DigestSchema:
    name, spec = item.preamble.name, item.type_spec
    match spec.WhichOneof("type_spec"):
        case "struct":
            members = [(each.name, each.type_spec) for each in info.structs[spec.struct.name].members]
        case "tuple":
            members = [(str(index), each) for index, each in enumerate(spec.tuple.members)]
        case _:
            members = [(name, spec)]
    fields = tuple(Field(index, each, _width(name, each, type_)) for index, (each, type_) in enumerate(members))
    return DigestSchema(item.preamble.id, name, fields)


def _width(digest: str, member: str, spec: types.P4DataTypeSpec) -> int:
    if spec.bitstring.WhichOneof("type_spec") != "bit":
        raise SchemaError(f"{digest}: its member {member} is no bit<W>")
    return spec.bitstring.bit.bitwidth
