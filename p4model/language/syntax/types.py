"""Types as they are written."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.language.errors import Position
from p4model.language.syntax.expressions import Expression


@dataclass(frozen=True, slots=True)
class TypeSyntax:
    """Any written type."""

    position: Position


@dataclass(frozen=True, slots=True)
class NamedType(TypeSyntax):
    """`name` or `name<arguments>`."""

    name: str
    arguments: tuple[TypeSyntax, ...] | None = None


@dataclass(frozen=True, slots=True)
class BitType(TypeSyntax):
    """`bit<width>`; without a width, one bit."""

    width: Expression | None


@dataclass(frozen=True, slots=True)
class IntType(TypeSyntax):
    """`int`, or the unsupported `int<width>`."""

    width: Expression | None


@dataclass(frozen=True, slots=True)
class SimpleType(TypeSyntax):
    """`bool`, `error`, `string`, `void`, or `_` (any)."""

    name: str


@dataclass(frozen=True, slots=True)
class TupleType(TypeSyntax):
    """`tuple<elements>`."""

    elements: tuple[TypeSyntax, ...]


@dataclass(frozen=True, slots=True)
class StackType(TypeSyntax):
    """`element[size]`, a header stack."""

    element: TypeSyntax
    size: Expression
