"""Checked declarations: what instances, tables and blocks of a program are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from p4model.language.errors import Position
from p4model.language.semantics.expressions import Expression, KeyMatch, Variable
from p4model.language.semantics.statements import Block, Declare, Statement
from p4model.language.semantics.types import Extern, Type
from p4model.objects import ActionScope, MatchKind


@dataclass(eq=False, slots=True)
class Function:
    """A function, or the implementation of an extern's abstract method."""

    position: Position
    name: str
    parameters: tuple[Variable, ...]
    result: Type
    body: Block


@dataclass(eq=False, slots=True)
class ExternInstance:
    """An extern object; `control_name` is its name towards the control plane."""

    position: Position
    name: str
    control_name: str
    type: Extern
    arguments: tuple[Expression | None, ...]
    methods: Mapping[str, Function]


@dataclass(eq=False, slots=True)
class Action:
    """An action; `is_global` if it belongs to no control."""

    position: Position
    control_name: str
    parameters: tuple[Variable, ...]
    body: Block
    is_global: bool


@dataclass(frozen=True, slots=True)
class TableKey:
    """A key of a table."""

    expression: Expression
    kind: MatchKind
    name: str
    width: int


@dataclass(frozen=True, slots=True)
class TableAction:
    """An action that a table lists, with the arguments of its parameters that have a direction."""

    action: Action
    arguments: tuple[Expression | None, ...]
    scope: ActionScope


@dataclass(frozen=True, slots=True)
class ConstantEntry:
    """A row of `const entries`; None matches anything. `action` is an index of the table's actions."""

    position: Position
    matches: tuple[KeyMatch | None, ...]
    action: int
    arguments: tuple[int, ...]


@dataclass(eq=False, slots=True)
class Table:
    """A table; `default` is the index of an action and its arguments, `properties` the names of those it has."""

    position: Position
    control_name: str
    keys: tuple[TableKey, ...]
    actions: tuple[TableAction, ...]
    size: int
    default: tuple[int, tuple[int, ...]]
    const_default: bool
    entries: tuple[ConstantEntry, ...] | None
    counter: ExternInstance | None
    idle_timeout: bool
    properties: frozenset[str]


@dataclass(eq=False, slots=True)
class ControlInstance:
    """A control within another."""

    position: Position
    name: str
    control_name: str
    control: Control


@dataclass(eq=False, slots=True)
class Control:
    """A control; locals, instances, tables and controls are in source order."""

    position: Position
    name: str
    parameters: tuple[Variable, ...]
    locals: tuple[Declare, ...]
    externs: tuple[ExternInstance, ...]
    tables: tuple[Table, ...]
    controls: tuple[ControlInstance, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Select:
    """A choice of state by subjects; the first case that matches wins, None matches anything."""

    position: Position
    subjects: tuple[Expression, ...]
    cases: tuple[tuple[tuple[KeyMatch | None, ...], str], ...]


@dataclass(frozen=True, slots=True)
class State:
    """A parser state."""

    position: Position
    name: str
    statements: tuple[Statement, ...]
    transition: str | Select


@dataclass(eq=False, slots=True)
class Parser:
    """A parser; its states by name, `start` among them."""

    position: Position
    name: str
    parameters: tuple[Variable, ...]
    locals: tuple[Declare, ...]
    externs: tuple[ExternInstance, ...]
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class PackageInstance:
    """A package; its arguments are parsers, controls, other packages or constants by parameter name."""

    position: Position
    name: str
    package: str
    arguments: Mapping[str, Parser | Control | PackageInstance]


@dataclass(slots=True)
class CheckedProgram:
    """A program whose `main` package the architecture runs, its global constants that are numbers, and its errors.

    The value of an error is its index.
    """

    main: PackageInstance
    constants: Mapping[str, int]
    errors: tuple[str, ...]
