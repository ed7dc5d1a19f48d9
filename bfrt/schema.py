"""What a program and its device offer to a client, from the bf-rt.json documents that the server hands out.

Names are resolved here, once; ids never leave this package. Tables and fields that the client does not know or use
are kept, too: every server has more of them than are documented.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bfrt.errors import ProtocolError
from rpc.fields import MatchType
from rpc.names import Names

_INTEGER_WIDTHS = {"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}


class Kind(Enum):
    """The type of a field; UNSUPPORTED ones (containers, signed integers) cannot be written and are not read."""

    INTEGER = "an integer"
    BOOL = "a bool"
    STRING = "a string"
    FLOAT = "a float"
    UNSUPPORTED = "of an unsupported type"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a key, of data, or of a digest; `width` in bits, 0 unless it is an integer."""

    id: int
    name: str
    kind: Kind
    width: int = 0
    match: MatchType = MatchType.EXACT
    repeated: bool = False
    choices: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of an integer on the wire."""
        return (self.width + 7) // 8


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its parameters."""

    id: int
    name: str
    fields: tuple[Field, ...]
    fields_by_id: Mapping[int, Field] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class TableSchema:
    """A table: `size` entries, its key, its actions, and `data`, the fields that are common to all actions."""

    id: int
    name: str
    type: str
    size: int
    key: tuple[Field, ...]
    actions: Names[Action] = field(repr=False)
    actions_by_id: Mapping[int, Action] = field(repr=False)
    data: Names[Field] = field(repr=False)
    data_by_id: Mapping[int, Field] = field(repr=False)
    operations: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def short_name(self) -> str:
        """The last part of the name, for messages."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True, eq=False)
class LearnFilter:
    """A digest."""

    id: int
    name: str
    fields: tuple[Field, ...]


class Schema:
    """The tables of a program and of its device, and the program's digests, by unique dotted suffix."""

    def __init__(self, tables: Iterable[TableSchema], filters: Iterable[LearnFilter]) -> None:
        named, self.filters = {table.name: table for table in tables}, tuple(filters)
        self.tables = tuple(named.values())
        self._tables = Names("table", "in the program", named)
        self._filters = Names("digest", "in the program", {each.name: each for each in self.filters})
        self.tables_by_id = {table.id: table for table in self.tables}
        self.filters_by_id = {each.id: each for each in self.filters}

    @classmethod
    def parse(cls, *documents: bytes) -> Schema:
        """The schema of bf-rt.json documents, the program's before the fixed tables'; raises ProtocolError."""
        tables: list[TableSchema] = []
        filters: list[LearnFilter] = []
        try:
            for document in documents:
                root = json.loads(document)
                tables += map(_table, root["tables"])
                filters += map(_filter, root.get("learn_filters", ()))
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError(f"the server's bf-rt.json cannot be understood: {error!r}") from error
        return cls(tables, filters)

    def table(self, name: str) -> TableSchema:
        """A table by its name or a unique dotted suffix of it; raises SchemaError."""
        return self._tables.find(name)

    def filter(self, name: str) -> LearnFilter:
        """A digest by its name or a unique dotted suffix of it; raises SchemaError."""
        return self._filters.find(name)


def _table(item: Mapping[str, Any]) -> TableSchema:
    where = f"of table {item['name']}"
    actions = [_action(action) for action in item.get("action_specs", ())]
    data = [_field(single) for each in item.get("data", ()) for single in _singletons(each)]
    return TableSchema(
        id=item["id"],
        name=item["name"],
        type=item.get("table_type", ""),
        size=item.get("size", 0),
        key=tuple(map(_field, item.get("key", ()))),
        actions=Names("action", where, {action.name: action for action in actions}),
        actions_by_id={action.id: action for action in actions},
        data=Names("data field", where, {each.name: each for each in data}),
        data_by_id={each.id: each for each in data},
        operations=tuple(item.get("supported_operations", ())),
        attributes=tuple(item.get("attributes", ())),
    )


def _singletons(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [item["singleton"]] if "singleton" in item else list(item.get("oneof", ()))


def _action(item: Mapping[str, Any]) -> Action:
    fields = tuple(map(_field, item.get("data", ())))
    return Action(item["id"], item["name"], fields, {each.id: each for each in fields})


def _filter(item: Mapping[str, Any]) -> LearnFilter:
    return LearnFilter(item["id"], item["name"], tuple(map(_field, item.get("fields", ()))))


def _field(item: Mapping[str, Any]) -> Field:
    kind, width = _kind(item.get("type", {}))
    return Field(
        id=item["id"],
        name=item["name"],
        kind=kind,
        width=width,
        # Algorithmic TCAM and hash tables match exactly as far as a client can tell.
        match=MatchType(item["match_type"]) if item.get("match_type") in _MATCH_TYPES else MatchType.EXACT,
        repeated=item.get("repeated", False),
        choices=tuple(item.get("type", {}).get("choices", ())),
    )


_MATCH_TYPES = {match.value for match in MatchType}
_KINDS = {"bool": Kind.BOOL, "string": Kind.STRING, "float": Kind.FLOAT}


def _kind(type_: Mapping[str, Any]) -> tuple[Kind, int]:
    name = type_.get("type", "")
    if name == "bytes":
        return Kind.INTEGER, int(type_["width"])
    if name in _INTEGER_WIDTHS:
        return Kind.INTEGER, _INTEGER_WIDTHS[name]
    return _KINDS.get(name, Kind.UNSUPPORTED), 0
