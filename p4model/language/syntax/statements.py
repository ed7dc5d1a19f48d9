"""Statements as they are written."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.language.errors import Position
from p4model.language.syntax.expressions import Argument, Call, Expression
from p4model.language.syntax.types import NamedType, TypeSyntax


@dataclass(frozen=True, slots=True)
class Statement:
    """Any statement."""

    position: Position


@dataclass(frozen=True, slots=True)
class Assignment(Statement):
    """`target = value;`."""

    target: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class CallStatement(Statement):
    """A call whose result nobody wants."""

    call: Call


@dataclass(frozen=True, slots=True)
class DirectApplication(Statement):
    """`Type.apply(arguments);`: a control that is instantiated where it is applied."""

    type: str
    method: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class If(Statement):
    """`if (condition) then else otherwise`."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True, slots=True)
class Block(Statement):
    """`{ statements }`."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class SwitchCase:
    """A label (None for `default`) and its block, None where it falls through to the next."""

    position: Position
    label: Expression | None
    body: Block | None


@dataclass(frozen=True, slots=True)
class Switch(Statement):
    """`switch (subject) { cases }`."""

    subject: Expression
    cases: tuple[SwitchCase, ...]


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """`return value;`."""

    value: Expression | None


@dataclass(frozen=True, slots=True)
class Exit(Statement):
    """`exit;`."""


@dataclass(frozen=True, slots=True)
class VariableDeclaration(Statement):
    """`type name = initial;`."""

    type: TypeSyntax
    name: str
    initial: Expression | None


@dataclass(frozen=True, slots=True)
class ConstantDeclaration(Statement):
    """`const type name = value;`."""

    type: TypeSyntax
    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; `direction` is "in", "out", "inout" or empty."""

    position: Position
    direction: str
    type: TypeSyntax
    name: str
    optional: bool
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class Function(Statement):
    """A function, or the implementation of an abstract method."""

    result: TypeSyntax
    name: str
    type_parameters: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Instantiation(Statement):
    """`Type(arguments) name = { methods };`; `given_name` is that of `@name`."""

    type: NamedType
    arguments: tuple[Argument, ...]
    name: str
    methods: tuple[Function, ...]
    given_name: str | None = None
