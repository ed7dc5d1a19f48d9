"""Checking of parsers and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from p4model.language.checking import instances, operators, tables
from p4model.language.checking.expressions import ExpressionChecker
from p4model.language.checking.statements import StatementChecker
from p4model.language.errors import P4Error
from p4model.language.semantics import objects, statements
from p4model.language.semantics import types as kinds
from p4model.language.syntax import declarations as syntax
from p4model.language.syntax import statements as written_statements

_FINAL = ("accept", "reject")


@dataclass(slots=True)
class _Locals:
    """What a parser or control declares before its body, in source order."""

    variables: list[statements.Declare] = field(default_factory=list)
    externs: list[objects.ExternInstance] = field(default_factory=list)
    tables: list[objects.Table] = field(default_factory=list)
    controls: list[objects.ControlInstance] = field(default_factory=list)


def control(checker: ExpressionChecker, written: syntax.ControlDeclaration) -> objects.Control:
    """The checked control; raises P4Error."""
    inner = StatementChecker(checker.inner())
    parameters = inner.parameters(written.parameters)
    local = _locals(inner, written.locals)
    body = statements.Block(written.body.position, inner.block(written.body.statements))
    return objects.Control(
        written.position,
        written.name,
        parameters,
        tuple(local.variables),
        tuple(local.externs),
        tuple(local.tables),
        tuple(local.controls),
        body,
    )


def parser(checker: ExpressionChecker, written: syntax.ParserDeclaration) -> objects.Parser:
    """The checked parser; raises P4Error."""
    inner = StatementChecker(checker.inner(), may_exit=False)
    parameters = inner.parameters(written.parameters)
    local = _locals(inner, written.locals)
    names = {state.name for state in written.states}
    if "start" not in names:
        raise P4Error(written.position, f"parser {written.name} has no state start")
    states: dict[str, objects.State] = {}
    for state in written.states:
        if state.name in states or state.name in _FINAL:
            raise P4Error(state.position, f"state {state.name} is declared already")
        states[state.name] = _state(inner, state, names)
    return objects.Parser(
        written.position, written.name, parameters, tuple(local.variables), tuple(local.externs), states
    )


def _locals(checker: StatementChecker, written: Sequence[written_statements.Statement]) -> _Locals:
    local = _Locals()
    for declared in written:
        match declared:
            case written_statements.ConstantDeclaration():
                checker.constant(declared)
            case written_statements.VariableDeclaration():
                local.variables.append(checker.variable(declared))
            case written_statements.Instantiation():
                _instance(checker, declared, local)
            case syntax.ActionDeclaration():
                checker.action(declared, is_global=False)
            case syntax.TableDeclaration(name=name):
                table = tables.check(checker.expressions, declared)
                checker.expressions.scope.declare(declared.position, name, table)
                local.tables.append(table)
            case _:
                raise P4Error(declared.position, "this declaration is not supported here")
    return local


def _instance(checker: StatementChecker, declared: written_statements.Instantiation, local: _Locals) -> None:
    scope = checker.expressions.scope
    found = scope.find_type(declared.position, declared.type.name)
    if isinstance(found, syntax.ExternDeclaration):
        methods = {method.name: checker.function(method) for method in declared.methods}
        extern = instances.check(checker.expressions, declared, found, methods)
        scope.declare(declared.position, declared.name, extern)
        local.externs.append(extern)
    elif isinstance(found, objects.Control):
        if declared.arguments:
            raise P4Error(declared.position, f"{found.name} takes no constructor arguments")
        name = (declared.given_name or declared.name).removeprefix(".")
        control = objects.ControlInstance(declared.position, declared.name, name, found)
        scope.declare(declared.position, declared.name, control)
        local.controls.append(control)
    else:
        raise P4Error(declared.position, f"{declared.type.name} cannot be instantiated here; externs and controls can")


def _state(checker: StatementChecker, written: syntax.State, names: set[str]) -> objects.State:
    inner = StatementChecker(checker.expressions.inner(), may_exit=False)
    body = tuple(checked for statement in written.statements if (checked := inner.check(statement)) is not None)
    transition = written.transition
    if isinstance(transition, str):
        _known(written, transition, names)
        return objects.State(written.position, written.name, body, transition)
    subjects = tuple(inner.expressions.check(subject) for subject in transition.subjects)
    for subject in subjects:
        if not operators.is_scalar(subject.type) or subject.type == kinds.INTEGER:
            raise P4Error(subject.position, f"select over {subject.type} is not supported")
    wanted = tuple(subject.type for subject in subjects)
    cases = []
    for keyset, target in transition.cases:
        _known(written, target, names)
        cases.append((inner.expressions.key_matches(keyset, wanted), target))
    select = objects.Select(transition.position, subjects, tuple(cases))
    return objects.State(written.position, written.name, body, select)


def _known(state: syntax.State, target: str, names: set[str]) -> None:
    if target not in names and target not in _FINAL:
        raise P4Error(state.position, f"state {state.name} goes to {target}, which is no state")
