"""Checking of calls: methods, tables, controls, actions, functions; the types that a generic one is called with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from p4model.language.checking import operators, types
from p4model.language.checking.scope import Scope
from p4model.language.errors import P4Error, Position
from p4model.language.semantics import expressions, objects
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Expression, Variable
from p4model.language.syntax import expressions as syntax
from p4model.language.syntax.declarations import ExternDeclaration, ExternFunction, MethodDeclaration
from p4model.language.syntax.statements import Parameter

if TYPE_CHECKING:
    from p4model.language.checking.expressions import ExpressionChecker

_VALIDITY = frozenset({"isValid", "setValid", "setInvalid"})


def check(checker: ExpressionChecker, call: syntax.Call) -> Expression:
    """The checked call; raises P4Error."""
    callee = call.callee
    if isinstance(callee, syntax.Name):
        return _by_name(checker, call, callee.name)
    if not isinstance(callee, syntax.Member):
        raise P4Error(call.position, "this cannot be called")
    if isinstance(callee.base, syntax.Name):
        meaning = checker.scope.find(callee.base.position, callee.base.name)
        if isinstance(meaning, objects.Table | objects.ControlInstance):
            return _apply(checker, call, meaning, callee.name)
        if isinstance(meaning, objects.ExternInstance):
            return _method(checker, call, meaning, meaning.type, callee.name)
        if isinstance(meaning, Variable) and isinstance(meaning.type, kinds.Extern):
            return _method(checker, call, meaning, meaning.type, callee.name)
    base = checker.check(callee.base)
    if isinstance(base.type, kinds.Header) and callee.name in _VALIDITY:
        return _validity(checker, call, base, callee)
    raise P4Error(callee.position, f"{base.type} has no method {callee.name}")


def _validity(checker: ExpressionChecker, call: syntax.Call, base: Expression, callee: syntax.Member) -> Expression:
    if call.arguments:
        raise P4Error(call.position, f"{callee.name} takes no arguments")
    if callee.name == "isValid":
        return expressions.IsValid(call.position, kinds.BOOLEAN, base)
    checker.place(callee.base)
    return expressions.SetValidity(call.position, kinds.VOID, base, callee.name == "setValid")


def table_result(checker: ExpressionChecker, written: syntax.Member) -> Expression | None:
    """`table.apply().hit`, `.miss` or `.action_run`; None for any other member."""
    call = written.base
    if not isinstance(call, syntax.Call) or not isinstance(call.callee, syntax.Member):
        return None
    if not isinstance(call.callee.base, syntax.Name):
        return None
    table = checker.scope.find(call.position, call.callee.base.name)
    if not isinstance(table, objects.Table):
        return None
    _apply(checker, call, table, call.callee.name)
    if written.name not in {"hit", "miss", "action_run"}:
        raise P4Error(written.position, f"the result of a table has hit, miss and action_run, not {written.name}")
    kind = kinds.BOOLEAN if written.name != "action_run" else kinds.VOID
    return expressions.ApplyTable(written.position, kind, table, written.name)


def _apply(
    checker: ExpressionChecker, call: syntax.Call, target: objects.Table | objects.ControlInstance, method: str
) -> Expression:
    if method != "apply":
        raise P4Error(call.position, f"{method} is not supported here; apply is")
    if isinstance(target, objects.Table):
        if call.arguments:
            raise P4Error(call.position, "apply of a table takes no arguments")
        return expressions.ApplyTable(call.position, kinds.VOID, target, "")
    arguments = bind(checker, call.position, target.control.parameters, call.arguments, target.control.name)
    return expressions.ApplyControl(call.position, kinds.VOID, target, arguments)


def _by_name(checker: ExpressionChecker, call: syntax.Call, name: str) -> Expression:
    meaning = checker.scope.find(call.position, name)
    if isinstance(meaning, objects.Action):
        arguments = bind(checker, call.position, meaning.parameters, call.arguments, name)
        return expressions.CallAction(call.position, kinds.VOID, meaning, arguments)
    if isinstance(meaning, objects.Function):
        arguments = bind(checker, call.position, meaning.parameters, call.arguments, name)
        return expressions.CallFunction(call.position, meaning.result, meaning, arguments)
    if isinstance(meaning, ExternFunction):
        result, bound, arguments = _generic(checker, call, meaning.method, {})
        return expressions.CallExtern(call.position, result, name, bound, arguments)
    raise P4Error(call.position, f"{name} cannot be called")


def bind(
    checker: ExpressionChecker,
    position: Position,
    parameters: Sequence[Variable],
    arguments: Sequence[syntax.Argument],
    name: str,
) -> tuple[Expression | None, ...]:
    """The arguments of a call in the order of the parameters; None is an `out` argument that nobody wants."""
    ordered = _ordered(position, [parameter.name for parameter in parameters], arguments, name)
    if None in ordered:
        missing = parameters[ordered.index(None)].name
        raise P4Error(position, f"{name} needs an argument for {missing}")
    return tuple(
        _argument(checker, argument, parameter.direction, parameter.type, parameter.name)
        for parameter, argument in zip(parameters, ordered, strict=True)
        if argument is not None
    )


def _ordered(
    position: Position, parameters: list[str], arguments: Sequence[syntax.Argument], name: str
) -> list[syntax.Argument | None]:
    """The arguments by parameter; None where there is none."""
    if len(arguments) > len(parameters):
        raise P4Error(position, f"{name} takes {len(parameters)} arguments, not {len(arguments)}")
    ordered: list[syntax.Argument | None] = [None] * len(parameters)
    for index, argument in enumerate(arguments):
        if argument.name is not None and argument.name not in parameters:
            raise P4Error(argument.position, f"{name} has no parameter {argument.name}")
        ordered[index if argument.name is None else parameters.index(argument.name)] = argument
    return ordered


def _argument(
    checker: ExpressionChecker, argument: syntax.Argument, direction: str, kind: kinds.Type, name: str
) -> Expression | None:
    if argument.value is None:
        if direction != "out":
            raise P4Error(argument.position, f"_ is for `out` parameters, which {name} is not")
        return None
    if direction not in {"out", "inout"}:
        return checker.checked_as(argument.value, kind)
    place = checker.place(argument.value)
    if place.type != kind:
        raise P4Error(argument.position, f"{name}: expected {kind}, not {place.type}")
    return place


def _method(
    checker: ExpressionChecker,
    call: syntax.Call,
    target: objects.ExternInstance | Variable,
    kind: kinds.Extern,
    name: str,
) -> Expression:
    declaration = checker.scope.find_type(call.position, kind.name)
    assert isinstance(declaration, ExternDeclaration)
    candidates = [
        method
        for method in declaration.methods
        if method.name == name and _required(method.parameters) <= len(call.arguments) <= len(method.parameters)
    ]
    if not candidates:
        known = any(method.name == name for method in declaration.methods)
        what = f"{name} of {len(call.arguments)} arguments" if known else name
        raise P4Error(call.position, f"{kind.name} has no method {what}")
    own = dict(zip(declaration.type_parameters, kind.arguments, strict=True))
    result, bound, arguments = _generic(checker, call, candidates[0], own)
    return expressions.CallMethod(call.position, result, target, name, bound, arguments)


def _required(parameters: Sequence[Parameter]) -> int:
    return sum(not parameter.optional for parameter in parameters)


def _generic(
    checker: ExpressionChecker, call: syntax.Call, method: MethodDeclaration, own: dict[str, kinds.Type]
) -> tuple[kinds.Type, tuple[tuple[str, kinds.Type], ...], tuple[Expression | None, ...]]:
    """The result, type arguments by name, and arguments of a call of an extern's method or function."""
    scope = Scope(checker.scope)
    scope.types.update(own)
    scope.types.update({name: kinds.Variable(name) for name in method.type_parameters})
    declared = checker.within(scope)
    bindings: dict[str, kinds.Type] = {}
    if call.types is not None:
        if len(call.types) != len(method.type_parameters):
            raise P4Error(
                call.position,
                f"{method.name} takes {len(method.type_parameters)} type arguments, not {len(call.types)}",
            )
        bindings = dict(zip(method.type_parameters, map(checker.type, call.types), strict=True))
    ordered = _ordered(call.position, [parameter.name for parameter in method.parameters], call.arguments, method.name)
    arguments: list[Expression | None] = []
    for parameter, argument in zip(method.parameters, ordered, strict=True):
        if argument is None:
            if not parameter.optional:
                raise P4Error(call.position, f"{method.name} needs an argument for {parameter.name}")
            arguments.append(None)
            continue
        wanted = types.substitute(declared.type(parameter.type), bindings)
        arguments.append(_generic_argument(checker, argument, parameter, wanted, bindings))
    assert method.result is not None
    result = types.substitute(declared.type(method.result), bindings)
    if isinstance(result, kinds.Variable):
        raise P4Error(call.position, f"{method.name} needs its type argument {result}: {method.name}<...>()")
    return result, tuple(bindings.items()), tuple(arguments)


def _generic_argument(
    checker: ExpressionChecker,
    argument: syntax.Argument,
    parameter: Parameter,
    wanted: kinds.Type,
    bindings: dict[str, kinds.Type],
) -> Expression | None:
    if not isinstance(wanted, kinds.Variable):
        return _argument(checker, argument, parameter.direction, wanted, parameter.name)
    if argument.value is None:
        raise P4Error(argument.position, f"the type of {parameter.name} is not known from _")
    writes = parameter.direction in {"out", "inout"}
    given = checker.place(argument.value) if writes else checker.check(argument.value)
    if not types.unify(wanted, given.type, bindings):
        given = operators.convert(given, types.substitute(wanted, bindings))
    return given
