"""Checked expressions; those of `Place` can be assigned to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4model.language.errors import Position
from p4model.language.semantics.types import Type

if TYPE_CHECKING:
    from p4model.language.semantics.objects import Action, ControlInstance, ExternInstance, Function, Table


@dataclass(eq=False, slots=True)
class Variable:
    """A parameter or local variable; `direction` is empty for locals and for what the control plane gives."""

    position: Position
    name: str
    type: Type
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """Any expression; its operands have the types that its operator needs."""

    position: Position
    type: Type


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A value known now: int for numbers, enums (index) and errors (index), bool, or str."""

    value: int | str


@dataclass(frozen=True, slots=True)
class Place(Expression):
    """What has a location."""


@dataclass(frozen=True, slots=True)
class Read(Place):
    """A variable."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class FieldOf(Place):
    """A field of a header or struct."""

    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class ElementOf(Place):
    """An element of a header stack or tuple."""

    base: Expression
    index: int


@dataclass(frozen=True, slots=True)
class SliceOf(Place):
    """Bits `high` to `low`, both inclusive."""

    base: Expression
    high: int
    low: int


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """`!`, `~`, or `-`."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """A binary operator."""

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
    """The operand as a value of this expression's type, between scalars."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Group(Expression):
    """The elements of a tuple, or the fields of a struct or header in order."""

    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Instance(Expression):
    """An extern object, as an argument of a constructor."""

    instance: ExternInstance


@dataclass(frozen=True, slots=True)
class IsValid(Expression):
    """`header.isValid()`."""

    header: Expression


@dataclass(frozen=True, slots=True)
class SetValidity(Expression):
    """`header.setValid()` or `header.setInvalid()`."""

    header: Expression
    valid: bool


@dataclass(frozen=True, slots=True)
class ApplyTable(Expression):
    """`table.apply()`; `result` is "", "hit", "miss" or "action_run"."""

    table: Table
    result: str


@dataclass(frozen=True, slots=True)
class ApplyControl(Expression):
    """`control.apply(arguments)`."""

    instance: ControlInstance
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class CallAction(Expression):
    """A direct call of an action."""

    action: Action
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class CallFunction(Expression):
    """A call of a function."""

    function: Function
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class CallMethod(Expression):
    """A call of an extern object's method; an argument that is left out is None.

    The object is an instance, or a parameter such as `packet_in`. `types` are the method's type arguments by name.
    """

    object: ExternInstance | Variable
    method: str
    types: tuple[tuple[str, Type], ...]
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class CallExtern(Expression):
    """A call of an extern function."""

    function: str
    types: tuple[tuple[str, Type], ...]
    arguments: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """What a keyset says of one subject: equality, or with `mask` or `high` (inclusive) that; None is anything."""

    value: int
    mask: int | None = None
    high: int | None = None
