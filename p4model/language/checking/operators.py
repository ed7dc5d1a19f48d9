"""What operators need and give (P4_16 section 8), and their values on constants."""

from __future__ import annotations

import operator
from collections.abc import Callable

from p4model.language.errors import P4Error, Position
from p4model.language.semantics import expressions, types
from p4model.language.semantics.expressions import Constant, Expression

_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
_DIVISION: dict[str, Callable[[int, int], int]] = {"/": operator.floordiv, "%": operator.mod}
_ORDER: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_LOGIC = frozenset({"&&", "||"})
_SHIFTS = frozenset({"<<", ">>"})
_SATURATING = frozenset({"|+|", "|-|"})
_SCALARS = (types.Bit, types.Enum, types.SerializableEnum, types.New)


def is_scalar(kind: types.Type) -> bool:
    """Whether values of `kind` are single numbers or truths."""
    return isinstance(kind, _SCALARS) or kind in {types.BOOLEAN, types.ERROR, types.INTEGER}


def convert(expression: Expression, wanted: types.Type) -> Expression:
    """The expression with the implicit cast to `wanted` (section 8.9.2); P4Error where there is none."""
    given = expression.type
    if wanted in {given, types.ANY}:
        return expression
    if given == types.INTEGER and isinstance(expression, Constant) and isinstance(wanted, types.Bit):
        value = expression.value
        assert isinstance(value, int)
        if not -(1 << wanted.width - 1) <= value < 1 << wanted.width:
            raise P4Error(expression.position, f"{value} does not fit in {wanted}")
        return Constant(expression.position, wanted, value & ((1 << wanted.width) - 1))
    if isinstance(given, types.SerializableEnum) and given.base == wanted:
        return cast(expression, wanted)
    if isinstance(expression, expressions.Group):
        return _group(expression, wanted)
    raise P4Error(expression.position, f"expected {wanted}, not {given}")


def _group(expression: expressions.Group, wanted: types.Type) -> Expression:
    match wanted:
        case types.Struct() | types.Header():
            inner = tuple(field.type for field in wanted.fields)
        case types.Tuple(elements=elements):
            inner = elements
        case _:
            raise P4Error(expression.position, f"expected {wanted}, not a list")
    if len(inner) != len(expression.elements):
        raise P4Error(
            expression.position, f"expected {wanted} of {len(inner)} elements, not {len(expression.elements)}"
        )
    converted = (convert(element, kind) for element, kind in zip(expression.elements, inner, strict=True))
    return expressions.Group(expression.position, wanted, tuple(converted))


def cast(expression: Expression, wanted: types.Type) -> Expression:
    """The explicit cast `(wanted) expression` (section 8.9.1)."""
    given, target = types.underlying(expression.type), types.underlying(wanted)
    if isinstance(expression, expressions.Group):
        return convert(expression, wanted)
    if given == types.INTEGER and isinstance(target, types.Bit) and isinstance(expression, Constant):
        assert isinstance(expression.value, int)
        return Constant(expression.position, wanted, expression.value & ((1 << target.width) - 1))
    one_bit = types.Bit(1)
    allowed = (
        (isinstance(given, types.Bit) and isinstance(target, types.Bit))
        or given == target
        or (given, target) in {(types.BOOLEAN, one_bit), (one_bit, types.BOOLEAN)}
    )
    if not allowed or not is_scalar(wanted):
        raise P4Error(expression.position, f"{expression.type} cannot be cast to {wanted}")
    if isinstance(expression, Constant):
        assert isinstance(expression.value, int)
        value = int(expression.value) & ((1 << types.width(target)) - 1)
        return Constant(expression.position, wanted, bool(value) if target == types.BOOLEAN else value)
    return expressions.Cast(expression.position, wanted, expression)


def unary(position: Position, symbol: str, operand: Expression) -> Expression:
    """`symbol operand`."""
    kind = operand.type
    known = operand.value if isinstance(operand, Constant) else None
    if symbol == "!" and kind == types.BOOLEAN:
        if known is not None:
            return Constant(position, kind, not known)
        return expressions.Unary(position, kind, symbol, operand)
    if symbol != "!" and (isinstance(kind, types.Bit) or kind == types.INTEGER):
        if symbol == "+":
            return operand
        if isinstance(known, int):
            value = -known if symbol == "-" else ~known
            return Constant(position, kind, value & ((1 << kind.width) - 1) if isinstance(kind, types.Bit) else value)
        return expressions.Unary(position, kind, symbol, operand)
    raise P4Error(position, f"{symbol} cannot be applied to {kind}")


def binary(position: Position, symbol: str, left: Expression, right: Expression) -> Expression:
    """`left symbol right`, with the implicit casts."""
    if symbol == "++":
        return _concatenation(position, left, right)
    if symbol in _SHIFTS:
        return _shift(position, symbol, left, right)
    left, right = _alike(position, symbol, left, right)
    kind = left.type
    numeric = isinstance(kind, types.Bit)
    if symbol in _LOGIC:
        result: types.Type | None = types.BOOLEAN if kind == types.BOOLEAN else None
    elif symbol in {"==", "!="}:
        result = types.BOOLEAN if is_scalar(kind) else None
    elif symbol in _ORDER:
        result = types.BOOLEAN if numeric or kind == types.INTEGER else None
    elif symbol in _SATURATING:
        result = kind if numeric else None
    else:
        result = kind if numeric or kind == types.INTEGER else None
    if result is None:
        raise P4Error(position, f"{symbol} cannot be applied to {left.type} and {right.type}")
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _fold(position, symbol, left, right, result)
    if symbol in _DIVISION:
        raise P4Error(position, f"{symbol} is supported between constants only")
    return expressions.Binary(position, result, symbol, left, right)


def _alike(position: Position, symbol: str, left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Both operands with the same type."""
    if left.type == right.type:
        return left, right
    if types.INTEGER in {left.type, right.type}:
        left, right = _without_enum(left), _without_enum(right)
    try:
        if left.type == types.INTEGER or isinstance(left.type, types.SerializableEnum):
            return convert(left, right.type), right
        return left, convert(right, left.type)
    except P4Error as error:
        if types.INTEGER in {left.type, right.type} and "fit" in error.message:
            raise
        raise P4Error(position, f"{symbol} cannot be applied to {left.type} and {right.type}") from None


def _without_enum(operand: Expression) -> Expression:
    """A serializable enum's value as a number."""
    return convert(operand, operand.type.base) if isinstance(operand.type, types.SerializableEnum) else operand


def _concatenation(position: Position, left: Expression, right: Expression) -> Expression:
    if not isinstance(left.type, types.Bit) or not isinstance(right.type, types.Bit):
        raise P4Error(position, f"++ cannot be applied to {left.type} and {right.type}")
    kind = types.Bit(left.type.width + right.type.width)
    if isinstance(left, Constant) and isinstance(right, Constant):
        assert isinstance(left.value, int)
        assert isinstance(right.value, int)
        return Constant(position, kind, left.value << right.type.width | right.value)
    return expressions.Binary(position, kind, "++", left, right)


def _shift(position: Position, symbol: str, left: Expression, right: Expression) -> Expression:
    kind = left.type
    negative = isinstance(right, Constant) and isinstance(right.value, int) and right.value < 0
    shifts = isinstance(kind, types.Bit) or kind == types.INTEGER
    if not shifts or negative or not (isinstance(right.type, types.Bit) or right.type == types.INTEGER):
        raise P4Error(
            position, f"{symbol} cannot be applied to {kind} and {'a negative number' if negative else right.type}"
        )
    if isinstance(left, Constant) and isinstance(right, Constant):
        assert isinstance(left.value, int)
        assert isinstance(right.value, int)
        value = left.value << right.value if symbol == "<<" else left.value >> right.value
        return Constant(position, kind, value & ((1 << kind.width) - 1) if isinstance(kind, types.Bit) else value)
    if kind == types.INTEGER:
        raise P4Error(position, f"{symbol} of a number without width needs a constant; write its width")
    return expressions.Binary(position, kind, symbol, left, right)


def _fold(position: Position, symbol: str, left: Constant, right: Constant, result: types.Type) -> Constant:
    one, other = left.value, right.value
    assert isinstance(one, int)
    assert isinstance(other, int)
    if symbol in _LOGIC:
        return Constant(position, result, bool(one and other) if symbol == "&&" else bool(one or other))
    if symbol in {"==", "!="}:
        return Constant(position, result, (one == other) == (symbol == "=="))
    if symbol in _ORDER:
        return Constant(position, result, _ORDER[symbol](one, other))
    if symbol in _DIVISION:
        if other <= 0 or one < 0:
            raise P4Error(position, f"{symbol} needs a number that is not negative and a positive one")
        return Constant(position, result, _DIVISION[symbol](one, other))
    if symbol in _SATURATING:
        limit = (1 << types.width(result)) - 1
        return Constant(position, result, min(one + other, limit) if symbol == "|+|" else max(one - other, 0))
    value = _ARITHMETIC[symbol](one, other)
    return Constant(position, result, value & ((1 << result.width) - 1) if isinstance(result, types.Bit) else value)
