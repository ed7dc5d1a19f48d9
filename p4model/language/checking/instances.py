"""Checking of instantiations of externs."""

from __future__ import annotations

from p4model.language.checking import operators, types
from p4model.language.checking.expressions import ExpressionChecker
from p4model.language.checking.scope import Scope
from p4model.language.errors import P4Error
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Expression
from p4model.language.semantics.objects import ExternInstance, Function
from p4model.language.syntax import statements as syntax
from p4model.language.syntax.declarations import ExternDeclaration, MethodDeclaration
from p4model.language.syntax.expressions import Argument


def check(
    checker: ExpressionChecker,
    declared: syntax.Instantiation,
    declaration: ExternDeclaration,
    methods: dict[str, Function],
) -> ExternInstance:
    """An extern object, `methods` being the implementations of its abstract ones; raises P4Error."""
    kind = checker.type(declared.type)
    assert isinstance(kind, kinds.Extern)
    arguments = _constructed(checker, declared, declaration, kind)
    abstract = {method.name for method in declaration.methods if method.abstract}
    if abstract != set(methods):
        wanted = ", ".join(sorted(abstract)) or "no methods"
        raise P4Error(declared.position, f"{kind.name} {declared.name} must implement {wanted}")
    name = (declared.given_name or declared.name).removeprefix(".")
    return ExternInstance(declared.position, declared.name, name, kind, arguments, methods)


def _constructed(
    checker: ExpressionChecker,
    declared: syntax.Instantiation,
    declaration: ExternDeclaration,
    kind: kinds.Extern,
) -> tuple[Expression | None, ...]:
    """The arguments of the first constructor that takes as many, each cast to what that wants."""
    own = {
        name: argument if argument != kinds.ANY else kinds.Variable(name)
        for name, argument in zip(declaration.type_parameters, kind.arguments, strict=True)
    }
    scope = Scope(checker.scope)
    scope.types.update(own)
    inner = checker.within(scope)
    if any(argument.name is not None or argument.value is None for argument in declared.arguments):
        raise P4Error(declared.position, "arguments of constructors with names are not supported; give them in order")
    given = [_value(checker, argument) for argument in declared.arguments]
    problem = P4Error(declared.position, f"{kind.name} has no constructor of {len(given)} arguments")
    for constructor in declaration.constructors:
        required = sum(not parameter.optional for parameter in constructor.parameters)
        if required <= len(given) <= len(constructor.parameters):
            try:
                return _matched(inner, constructor, given)
            except P4Error as error:
                problem = error
    raise problem


def _value(checker: ExpressionChecker, argument: Argument) -> Expression:
    assert argument.value is not None
    return checker.check(argument.value)


def _matched(
    checker: ExpressionChecker, constructor: MethodDeclaration, given: list[Expression]
) -> tuple[Expression | None, ...]:
    bindings: dict[str, kinds.Type] = {}
    arguments: list[Expression | None] = []
    for parameter, argument in zip(constructor.parameters, given, strict=False):
        wanted = types.substitute(checker.type(parameter.type), bindings)
        arguments.append(
            argument if types.unify(wanted, argument.type, bindings) else operators.convert(argument, wanted)
        )
    return (*arguments, *[None] * (len(constructor.parameters) - len(given)))
