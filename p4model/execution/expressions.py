"""Translation of expressions: to Python expressions, with statements before them where P4's have effects."""

from __future__ import annotations

from p4model.execution import calls
from p4model.execution.generator import Generator
from p4model.execution.places import Compound, Place, Scalar, allocate
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.types import width

_PLAIN = frozenset({"&", "|", "^", "==", "!=", "<", ">", "<=", ">="})
_WRAPPING = frozenset({"+", "-", "*"})


def mask(kind: types.Type) -> str:
    """All ones of a type's width."""
    return hex((1 << width(kind)) - 1)


def code(generator: Generator, expression: ir.Expression) -> str:
    """A Python expression for a scalar."""
    match expression:
        case ir.Constant(value=value):
            return repr(value)
        case ir.SliceOf(base=base, high=high, low=low):
            return f"({code(generator, base)} >> {low} & {hex((1 << high - low + 1) - 1)})"
        case ir.Unary(operator=symbol, operand=operand):
            inner = code(generator, operand)
            return {
                "!": f"(not {inner})",
                "~": f"({inner} ^ {mask(expression.type)})",
                "-": f"(-{inner} & {mask(expression.type)})",
            }[symbol]
        case ir.Binary():
            return _binary(generator, expression)
        case ir.Conditional():
            return _conditional(generator, expression)
        case ir.Cast(operand=operand):
            return _cast(generator, operand, expression.type)
        case ir.IsValid(header=header):
            found = place(generator, header)
            assert isinstance(found, Compound)
            return str(found.valid)
    found = place(generator, expression)
    if not isinstance(found, Scalar):
        raise P4Error(expression.position, f"a {expression.type} cannot be used as a scalar here")
    return found.code


def place(generator: Generator, expression: ir.Expression) -> Place:
    """Where the value of an expression is; one that has no place yet gets one."""
    match expression:
        case ir.Read(variable=variable):
            return generator.places[variable]
        case ir.FieldOf(base=base, name=name):
            return _part(place(generator, base), name)
        case ir.ElementOf(base=base, index=index):
            return _part(place(generator, base), str(index))
        case ir.Group(elements=elements):
            return _group(generator, expression, elements)
        case ir.Constant(value=value):
            return Scalar(repr(value), expression.type, repr(value))
    if isinstance(expression, calls.CALLS):
        result = calls.call(generator, expression)
        if result is None:
            raise P4Error(expression.position, "this call has no value")
        return result
    return Scalar(code(generator, expression), expression.type, "a value")


def _part(found: Place, name: str) -> Place:
    assert isinstance(found, Compound)
    return found.parts[name]


def _group(generator: Generator, expression: ir.Group, elements: tuple[ir.Expression, ...]) -> Place:
    kind = expression.type
    places = _in_order(generator, elements)
    if isinstance(kind, types.Header):
        made = allocate(generator.source, kind, "value")
        assert isinstance(made, Compound)
        values = [found.code for found in places if isinstance(found, Scalar)]
        names = [part.code for part in made.parts.values() if isinstance(part, Scalar)]
        generator.source.line(f"{', '.join(names)}, {made.valid} = {', '.join(values)}, True")
        return made
    if isinstance(kind, types.Struct):
        keys = [field.name for field in kind.fields]
    else:
        keys = [str(index) for index in range(len(elements))]
    return Compound(kind, "value", dict(zip(keys, places, strict=True)))


def _in_order(generator: Generator, elements: tuple[ir.Expression, ...]) -> list[Place]:
    """Where elements are; scalars are copied before an element behind them does anything."""
    places: list[Place] = []
    for element in elements:
        with generator.source.detached() as lines:
            found = place(generator, element)
        if lines:
            places = [_kept(generator, before) if isinstance(before, Scalar) else before for before in places]
            generator.source.resume(lines)
        places.append(found)
    return places


def _binary(generator: Generator, expression: ir.Binary) -> str:
    symbol = expression.operator
    if symbol in {"&&", "||"}:
        return _logic(generator, expression)
    left, right = _operands(generator, expression.left, expression.right)
    if symbol in _PLAIN:
        return f"({left} {symbol} {right})"
    if symbol in _WRAPPING:
        return f"({left} {symbol} {right} & {mask(expression.type)})"
    if symbol == "++":
        return f"({left} << {width(expression.right.type)} | {right})"
    if symbol == "|+|":
        return f"min({left} + {right}, {mask(expression.type)})"
    if symbol == "|-|":
        return f"max({left} - {right}, 0)"
    if symbol == ">>":
        return f"({left} >> {right})"
    shift = right if isinstance(expression.right, ir.Constant) else f"min({right}, {width(expression.type)})"
    return f"({left} << {shift} & {mask(expression.type)})"


def _operands(generator: Generator, left: ir.Expression, right: ir.Expression) -> tuple[str, str]:
    """Both operands; the left one keeps the value that it has before the right one does anything."""
    first = code(generator, left)
    with generator.source.detached() as lines:
        second = code(generator, right)
    if lines:
        first = _kept(generator, Scalar(first, left.type, "a value")).code
        generator.source.resume(lines)
    return first, second


def _kept(generator: Generator, value: Scalar) -> Scalar:
    """A value under a name that nothing assigns to."""
    name = generator.source.name("kept")
    generator.source.line(f"{name} = {value.code}")
    return Scalar(name, value.type, value.shown)


def _logic(generator: Generator, expression: ir.Binary) -> str:
    """`&&` and `||`; what the right side does must not happen when the left one decides."""
    left = code(generator, expression.left)
    word = "and" if expression.operator == "&&" else "or"
    with generator.source.detached() as lines:
        right = code(generator, expression.right)
    if not lines:
        return f"({left} {word} {right})"
    result = generator.source.name("decided")
    generator.source.line(f"{result} = {left}")
    generator.source.line(f"if {result}:" if word == "and" else f"if not {result}:")
    generator.source.attach(lines, f"{result} = {right}")
    return result


def _conditional(generator: Generator, expression: ir.Conditional) -> str:
    condition = code(generator, expression.condition)
    with generator.source.detached() as first:
        then = code(generator, expression.then)
    with generator.source.detached() as second:
        otherwise = code(generator, expression.otherwise)
    if not first and not second:
        return f"({then} if {condition} else {otherwise})"
    result = generator.source.name("chosen")
    for header, lines, value in ((f"if {condition}:", first, then), ("else:", second, otherwise)):
        generator.source.line(header)
        generator.source.attach(lines, f"{result} = {value}")
    return result


def _cast(generator: Generator, operand: ir.Expression, target: types.Type) -> str:
    inner = code(generator, operand)
    given, wanted = types.underlying(operand.type), types.underlying(target)
    if given == wanted:
        return inner
    if wanted == types.BOOLEAN:
        return f"({inner} == 1)"
    if given == types.BOOLEAN:
        return f"int({inner})"
    if width(wanted) < width(given):
        return f"({inner} & {mask(wanted)})"
    return inner


def assign(generator: Generator, target: ir.Expression, value: ir.Expression) -> None:
    """Translate an assignment."""
    if isinstance(target, ir.SliceOf):
        assign_bits(generator, target, code(generator, value))
        return
    place_of_target = place(generator, target)
    if isinstance(place_of_target, Scalar):
        generator.store(place_of_target, code(generator, value))
    else:
        generator.copy(place_of_target, place(generator, value))


def assign_bits(generator: Generator, target: ir.SliceOf, value: str) -> None:
    """Translate an assignment to some bits, which may be bits of bits."""
    base: ir.Expression = target.base
    high, low = target.high, target.low
    while isinstance(base, ir.SliceOf):
        high, low, base = high + base.low, low + base.low, base.base
    found = place(generator, base)
    assert isinstance(found, Scalar)
    others = hex(((1 << width(found.type)) - 1) ^ ((1 << high + 1) - (1 << low)))
    generator.store(found, f"{found.code} & {others} | {value} << {low}")
