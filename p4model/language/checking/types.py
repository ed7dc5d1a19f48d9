"""Written types to types."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from p4model.language.checking.scope import Scope
from p4model.language.errors import P4Error
from p4model.language.semantics import types
from p4model.language.semantics.types import Type
from p4model.language.syntax import types as syntax
from p4model.language.syntax.declarations import ExternDeclaration
from p4model.language.syntax.expressions import Expression

_MAX_WIDTH = 4096
_SIMPLE = {
    "bool": types.BOOLEAN,
    "error": types.ERROR,
    "string": types.STRING,
    "void": types.VOID,
    "_": types.ANY,
}


def resolve(written: syntax.TypeSyntax, scope: Scope, constant: Callable[[Expression], int]) -> Type:
    """The type that is written; `constant` evaluates widths and sizes. Raises P4Error."""
    match written:
        case syntax.SimpleType(name=name):
            return _SIMPLE[name]
        case syntax.BitType(width=None):
            return types.Bit(1)
        case syntax.BitType(width=width):
            assert width is not None
            bits = constant(width)
            if not 1 <= bits <= _MAX_WIDTH:
                raise P4Error(width.position, f"bit<{bits}> is not supported; widths are 1 to {_MAX_WIDTH}")
            return types.Bit(bits)
        case syntax.IntType(width=None):
            return types.INTEGER
        case syntax.IntType():
            raise P4Error(written.position, "int<N> is not supported; bit<N> is")
        case syntax.TupleType(elements=elements):
            return types.Tuple(tuple(resolve(element, scope, constant) for element in elements))
        case syntax.StackType(element=element, size=size):
            header = resolve(element, scope, constant)
            if not isinstance(header, types.Header):
                raise P4Error(written.position, f"{header}[] is not supported; stacks of headers are")
            return types.Stack(header, constant(size))
        case syntax.NamedType(name=name, arguments=arguments):
            given = tuple(resolve(argument, scope, constant) for argument in arguments or ())
            return _named(written, name, given, scope)
    raise AssertionError(written)


def _named(written: syntax.TypeSyntax, name: str, arguments: tuple[Type, ...], scope: Scope) -> Type:
    found = scope.find_type(written.position, name)
    if isinstance(found, ExternDeclaration):
        if arguments and len(arguments) != len(found.type_parameters):
            raise P4Error(
                written.position,
                f"{name} takes {len(found.type_parameters)} type arguments, not {len(arguments)}",
            )
        return types.Extern(name, arguments or (types.ANY,) * len(found.type_parameters))
    if arguments and isinstance(found, Type):
        raise P4Error(written.position, f"{name} takes no type arguments")
    return found if isinstance(found, Type) else types.Block(name)


def substitute(kind: Type, bindings: Mapping[str, Type]) -> Type:
    """`kind` with its type parameters replaced."""
    match kind:
        case types.Variable(name=name):
            return bindings.get(name, kind)
        case types.Extern(name=name, arguments=arguments):
            return types.Extern(name, tuple(substitute(argument, bindings) for argument in arguments))
        case types.Tuple(elements=elements):
            return types.Tuple(tuple(substitute(element, bindings) for element in elements))
    return kind


def unify(wanted: Type, given: Type, bindings: dict[str, Type]) -> bool:
    """Whether `given` can be `wanted`; binds the type parameters of `wanted` on the way."""
    match wanted, given:
        case types.Variable(name=name), _:
            return bindings.setdefault(name, given) == given
        case (types.ANY, _) | (_, types.ANY):
            return True
        case types.Extern(), types.Extern():
            return wanted.name == given.name and all(
                unify(one, other, bindings) for one, other in zip(wanted.arguments, given.arguments, strict=True)
            )
    return wanted == given
