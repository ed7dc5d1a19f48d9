"""Declarations as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from p4model.language.errors import Position
from p4model.language.syntax.expressions import Argument, Expression
from p4model.language.syntax.statements import Block, Parameter, Statement
from p4model.language.syntax.types import TypeSyntax


@dataclass(frozen=True, slots=True)
class Declaration(Statement):
    """What gives a name a meaning."""

    name: str


@dataclass(frozen=True, slots=True)
class ErrorDeclaration(Statement):
    """`error { names }`, which add to those of other such declarations."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchKindDeclaration(Statement):
    """`match_kind { names }`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldDeclaration:
    """A field of a header or struct."""

    position: Position
    type: TypeSyntax
    name: str


@dataclass(frozen=True, slots=True)
class HeaderDeclaration(Declaration):
    """`header name { fields }`."""

    type_parameters: tuple[str, ...]
    fields: tuple[FieldDeclaration, ...]


@dataclass(frozen=True, slots=True)
class StructDeclaration(Declaration):
    """`struct name { fields }`."""

    type_parameters: tuple[str, ...]
    fields: tuple[FieldDeclaration, ...]


@dataclass(frozen=True, slots=True)
class EnumDeclaration(Declaration):
    """`enum name { members }`."""

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SerializableEnumDeclaration(Declaration):
    """`enum bit<N> name { member = value }`."""

    type: TypeSyntax
    members: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class TypeAlias(Declaration):
    """`typedef type name;`, or with `new` the distinct `type type name;`."""

    type: TypeSyntax
    new: bool


@dataclass(frozen=True, slots=True)
class MethodDeclaration:
    """A method of an extern, or an extern function; a constructor has no result."""

    position: Position
    name: str
    result: TypeSyntax | None
    type_parameters: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class ExternDeclaration(Declaration):
    """`extern name<parameters> { methods }`."""

    type_parameters: tuple[str, ...]
    constructors: tuple[MethodDeclaration, ...]
    methods: tuple[MethodDeclaration, ...]


@dataclass(frozen=True, slots=True)
class ExternFunction(Declaration):
    """`extern result name<parameters>(parameters);`."""

    method: MethodDeclaration


@dataclass(frozen=True, slots=True)
class BlockType(Declaration):
    """The type of a package, parser or control, which `keyword` tells."""

    keyword: str
    type_parameters: tuple[str, ...]
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """`select (subjects) { cases }`; each case is a keyset and a state."""

    position: Position
    subjects: tuple[Expression, ...]
    cases: tuple[tuple[Expression, str], ...]


@dataclass(frozen=True, slots=True)
class State:
    """A parser state; a missing transition is one to `reject`."""

    position: Position
    name: str
    statements: tuple[Statement, ...]
    transition: str | Select


@dataclass(frozen=True, slots=True)
class ParserDeclaration(Declaration):
    """A parser with its states."""

    parameters: tuple[Parameter, ...]
    locals: tuple[Statement, ...]
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class ControlDeclaration(Declaration):
    """A control with its body."""

    parameters: tuple[Parameter, ...]
    locals: tuple[Statement, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class ActionDeclaration(Declaration):
    """An action; `given_name` is that of `@name`."""

    parameters: tuple[Parameter, ...]
    body: Block
    given_name: str | None = None


@dataclass(frozen=True, slots=True)
class KeyElement:
    """A key of a table."""

    position: Position
    expression: Expression
    kind: str
    given_name: str | None


@dataclass(frozen=True, slots=True)
class ActionReference:
    """An action in a table; `scope` is "", "tableonly" or "defaultonly"."""

    position: Position
    name: str
    arguments: tuple[Argument, ...]
    scope: str = ""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A row of `const entries`."""

    position: Position
    keyset: Expression
    action: ActionReference


@dataclass(frozen=True, slots=True)
class Property:
    """`name = value;`; `constant` with `const` before it."""

    position: Position
    name: str
    value: Expression
    constant: bool


@dataclass(frozen=True, slots=True)
class TableDeclaration(Declaration):
    """A table; `entries` is None if it has none in the source."""

    keys: tuple[KeyElement, ...]
    actions: tuple[ActionReference, ...]
    entries: tuple[TableEntry, ...] | None
    properties: Mapping[str, Property]
    given_name: str | None = None


@dataclass(frozen=True, slots=True)
class ProgramSyntax:
    """All declarations of a program and its includes, in order."""

    declarations: tuple[Statement, ...]
