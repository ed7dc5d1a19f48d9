"""From controls to instances: what a program shows to its control plane, and a model of each extern object."""

from __future__ import annotations

from dataclasses import dataclass, field

from p4model.execution.generator import Architecture, ExternModel
from p4model.language.errors import P4Error
from p4model.language.semantics import objects
from p4model.language.semantics.expressions import Constant, Expression, KeyMatch
from p4model.language.semantics.types import width
from p4model.objects import (
    Action,
    CounterInfo,
    Counts,
    DigestInfo,
    Entry,
    Field,
    Key,
    Match,
    MatchKind,
    ProgramInfo,
    RegisterInfo,
    TableInfo,
)


@dataclass(slots=True)
class Elaboration:
    """Collects what the instances of a program are."""

    architecture: Architecture
    instances: dict[tuple[str, objects.ExternInstance], ExternModel] = field(default_factory=dict)
    tables: list[TableInfo] = field(default_factory=list)
    counters: list[CounterInfo] = field(default_factory=list)
    registers: list[RegisterInfo] = field(default_factory=list)
    digests: list[DigestInfo] = field(default_factory=list)

    def info(self) -> ProgramInfo:
        """All that was collected."""
        return ProgramInfo(tuple(self.tables), tuple(self.counters), tuple(self.registers), tuple(self.digests))

    def parser(self, parser: objects.Parser) -> None:
        """Collect a parser's extern objects."""
        for extern in parser.externs:
            self._extern(extern, parser.name)

    def control(self, control: objects.Control, path: str = "") -> None:
        """Collect a control instance that the control plane knows as `path`, and those within it."""
        path = path or control.name
        for extern in control.externs:
            self._extern(extern, path)
        for table in control.tables:
            self.architecture.check(table)
            self.tables.append(self._table(table, path))
        for inner in control.controls:
            self.control(inner.control, f"{path}.{inner.control_name}")

    def _extern(self, extern: objects.ExternInstance, path: str) -> None:
        make = self.architecture.externs.get(extern.type.name)
        if make is None:
            supported = ", ".join(sorted(self.architecture.externs))
            raise P4Error(extern.position, f"{extern.type.name} is not modelled; {supported} are")
        model = make(extern, f"{path}.{extern.control_name}")
        self.instances[path, extern] = model
        match model.info():
            case CounterInfo() as counter:
                self.counters.append(counter)
            case RegisterInfo() as register:
                self.registers.append(register)
            case DigestInfo() as digest:
                self.digests.append(digest)

    def _table(self, table: objects.Table, path: str) -> TableInfo:
        index, arguments = table.default
        return TableInfo(
            f"{path}.{table.control_name}",
            tuple(Key(self.architecture.key_name(key.name), key.kind, key.width) for key in table.keys),
            tuple(_action(listed, path) for listed in table.actions),
            table.size,
            Entry((), index, arguments),
            table.const_default,
            None if table.entries is None else tuple(_entry(table, n) for n in range(len(table.entries))),
            None if table.counter is None else counts(table.counter.arguments[0]),
            table.idle_timeout,
            None if table.counter is None else f"{path}.{table.counter.control_name}",
        )


def _action(listed: objects.TableAction, path: str) -> Action:
    action = listed.action
    own = action.parameters[len(listed.arguments) :]
    parameters = tuple(Field(parameter.name, width(parameter.type)) for parameter in own)
    name = action.control_name if action.is_global else f"{path}.{action.control_name}"
    return Action(name, parameters, listed.scope)


def _entry(table: objects.Table, number: int) -> Entry:
    assert table.entries is not None
    entry = table.entries[number]
    matches = (_match(key, found) for key, found in zip(table.keys, entry.matches, strict=True))
    return Entry(tuple(matches), entry.action, entry.arguments, priority=number)


def _match(key: objects.TableKey, found: KeyMatch | None) -> Match:
    ones = (1 << key.width) - 1
    if found is None:
        found = KeyMatch(0, high=ones) if key.kind is MatchKind.RANGE else KeyMatch(0, mask=0)
    if key.kind is MatchKind.RANGE:
        return Match(found.value, high=found.value if found.high is None else found.high)
    if key.kind is MatchKind.EXACT:
        return Match(found.value)
    mask = ones if found.mask is None else found.mask
    return Match(found.value & mask, mask=mask)


def counts(kind: Expression | None) -> Counts:
    """What a counter counts, from the argument of its constructor: packets, bytes or both, in this order."""
    assert isinstance(kind, Constant)
    return tuple(Counts)[int(kind.value)]
