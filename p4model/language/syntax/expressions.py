"""Expressions as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4model.language.errors import Position

if TYPE_CHECKING:
    from p4model.language.syntax.types import NamedType, TypeSyntax


@dataclass(frozen=True, slots=True)
class Expression:
    """Any expression."""

    position: Position


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A literal; `width` is None for arbitrary precision."""

    value: int
    width: int | None


@dataclass(frozen=True, slots=True)
class Truth(Expression):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Text(Expression):
    """A string literal, without its quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A name that is no type's."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """`base.name`."""

    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class TypeMember(Expression):
    """`Enum.name`, or `error.name`."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """`base[index]`."""

    base: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Slice(Expression):
    """`base[high:low]`."""

    base: Expression
    high: Expression
    low: Expression


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """`operator operand`."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Conditional(Expression):
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """`(type) operand`."""

    type: TypeSyntax
    operand: Expression


@dataclass(frozen=True, slots=True)
class ListExpression(Expression):
    """`{a, b}`."""

    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Record(Expression):
    """`{name = a, other = b}`."""

    fields: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, perhaps named; `value` is None for `_`."""

    position: Position
    name: str | None
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """`callee<types>(arguments)`."""

    callee: Expression
    types: tuple[TypeSyntax, ...] | None
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Construction(Expression):
    """`Type(arguments)` as an argument of a constructor."""

    type: NamedType
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Mask(Expression):
    """`value &&& mask` in a keyset."""

    value: Expression
    mask: Expression


@dataclass(frozen=True, slots=True)
class Range(Expression):
    """`low .. high` in a keyset, both inclusive."""

    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True)
class Anything(Expression):
    """`_` or `default` in a keyset."""


@dataclass(frozen=True, slots=True)
class TupleKeyset(Expression):
    """`(a, b)` in a keyset."""

    elements: tuple[Expression, ...]
