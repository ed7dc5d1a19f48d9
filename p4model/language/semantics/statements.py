"""Checked statements."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.language.errors import Position
from p4model.language.semantics.expressions import Expression, Place, Variable


@dataclass(frozen=True, slots=True)
class Statement:
    """Any statement."""

    position: Position


@dataclass(frozen=True, slots=True)
class Declare(Statement):
    """A local variable; without `initial` its value is undefined."""

    variable: Variable
    initial: Expression | None


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """An assignment."""

    target: Place
    value: Expression


@dataclass(frozen=True, slots=True)
class Evaluate(Statement):
    """A call for what it does."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class If(Statement):
    """A conditional."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True, slots=True)
class Block(Statement):
    """Statements in order."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Switch(Statement):
    """A choice; each case has its labels (action indexes or values), and `default` no label.

    The subject is an ApplyTable of result `action_run`, or a scalar.
    """

    subject: Expression
    cases: tuple[tuple[tuple[int, ...], Block], ...]
    default: Block | None


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """The end of a control, action or function."""

    value: Expression | None


@dataclass(frozen=True, slots=True)
class Exit(Statement):
    """The end of the whole block that the architecture started."""
