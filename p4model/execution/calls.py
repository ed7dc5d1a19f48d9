"""Translation of calls: what is called is translated where the call stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from p4model.execution import expressions, statements
from p4model.execution.generator import CopyOut, Generator
from p4model.execution.places import Compound, Place, Scalar, allocate, names
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import objects
from p4model.language.semantics.types import BOOLEAN, VOID

CALLS = (
    ir.SetValidity,
    ir.ApplyTable,
    ir.ApplyControl,
    ir.CallAction,
    ir.CallFunction,
    ir.CallMethod,
    ir.CallExtern,
)


@dataclass(frozen=True, slots=True)
class TableResult:
    """The Python names of what a table's application gave."""

    hit: str
    action: str


def call(generator: Generator, expression: ir.Expression) -> Place | None:
    """Translate a call; the result is where its value is, None if it has none."""
    match expression:
        case ir.SetValidity(header=header, valid=valid):
            _set_validity(generator, header, valid=valid)
            return None
        case ir.ApplyTable(result=result):
            applied = apply_table(generator, expression)
            if not result:
                return None
            hit = applied.hit if result == "hit" else f"(not {applied.hit})"
            return Scalar(hit, BOOLEAN, "the table's result")
        case ir.ApplyControl(instance=instance, arguments=arguments):
            apply_control(generator, instance, arguments)
            return None
        case ir.CallAction(action=action, arguments=arguments):
            with _bound(generator, action.parameters, arguments):
                statements.body(generator, action.body)
            return None
        case ir.CallFunction(function=function, arguments=arguments):
            return _function(generator, function, arguments)
        case ir.CallMethod(object=called):
            return generator.models[called].call(generator, expression)
        case ir.CallExtern():
            return generator.architecture.function(generator, expression)
    raise AssertionError(expression)


def _set_validity(generator: Generator, header: ir.Expression, *, valid: bool) -> None:
    found = expressions.place(generator, header)
    assert isinstance(found, Compound)
    if not valid:
        generator.undefine(found)
        return
    with generator.source.block(f"if not {found.valid}"):
        generator.source.line(f"{found.valid} = True")
        generator.undefine(found, valid=True)


@contextmanager
def _bound(
    generator: Generator,
    parameters: Sequence[ir.Variable],
    arguments: Sequence[ir.Expression | None],
    *,
    closed: bool = False,
) -> Iterator[None]:
    """Bind parameters while a body is translated, and copy out afterwards what was not in place.

    A `closed` body sees nothing but its parameters, so that these can often stand for the arguments themselves.
    """
    given = [None if argument is None else expressions.place(generator, argument) for argument in arguments]
    copies: list[CopyOut] = []
    bound: dict[ir.Variable, Place] = {}
    for index, (parameter, argument) in enumerate(zip(parameters, given, strict=True)):
        others = [other for n, other in enumerate(given) if n != index and other is not None]
        if argument is not None and closed and _can_stand(parameter, argument, others):
            bound[parameter] = argument
        else:
            bound[parameter] = allocate(generator.source, parameter.type, parameter.name)
            if argument is not None and parameter.direction != "out":
                generator.copy(bound[parameter], argument)
            written = arguments[index]
            if argument is not None and written is not None and parameter.direction in {"out", "inout"}:
                copies.append(_copy_out(written, argument, bound[parameter]))
        if parameter.direction == "out":
            generator.undefine(bound[parameter])
    generator.places.update(bound)
    generator.copies.append(copies)
    yield
    generator.copies.pop()
    for copy in copies:
        copy(generator)


def _copy_out(written: ir.Expression, target: Place, origin: Place) -> CopyOut:
    """What brings a parameter's value back to its argument."""
    if isinstance(written, ir.SliceOf):
        assert isinstance(origin, Scalar)
        bits, value = written, origin.code
        return lambda generator: expressions.assign_bits(generator, bits, value)
    return lambda generator: generator.copy(target, origin)


def _can_stand(parameter: ir.Variable, given: Place, others: list[Place]) -> bool:
    """Whether nobody can tell a parameter that is the argument itself from a copy of it."""
    own = set(names(given))
    if any(own & set(names(other)) for other in others):
        return False
    if parameter.direction in {"out", "inout"}:
        return not isinstance(given, Scalar) or given.valid is None
    return _is_name(given)


def _is_name(given: Place) -> bool:
    """Whether a place is only names and constants, not an expression that would be computed at every read."""
    return all(name.isidentifier() or name.lstrip("-").isalnum() for name in names(given))


def _function(
    generator: Generator, function: objects.Function, arguments: Sequence[ir.Expression | None]
) -> Place | None:
    result = None if function.result == VOID else allocate(generator.source, function.result, function.name)
    if result is not None:
        generator.undefine(result)
    with _bound(generator, function.parameters, arguments):
        statements.body(generator, function.body, result)
    return result


def apply_control(
    generator: Generator, instance: objects.ControlInstance, arguments: Sequence[ir.Expression | None]
) -> None:
    """Translate the application of a control instance."""
    before = generator.path
    path = generator.object_name(instance.control_name)
    with _bound(generator, instance.control.parameters, arguments, closed=True):
        generator.path = path
        control_body(generator, instance.control)
    generator.path = before


def control_body(generator: Generator, control: objects.Control) -> None:
    """Translate the body of a control whose parameters are in place, at the path of its instance."""
    for extern in control.externs:
        generator.models[extern] = generator.instances[generator.path, extern]
    for table in control.tables:
        generator.tables[table] = generator.object_name(table.control_name)
    for local in control.locals:
        statements.declare(generator, local)
    statements.body(generator, control.body)


def apply_table(generator: Generator, expression: ir.ApplyTable) -> TableResult:
    """Translate the application of a table: look up, then what the action does."""
    table, source = expression.table, generator.source
    name = generator.tables[table]
    if name in generator.applied:
        raise P4Error(expression.position, f"table {name} is applied twice; a table has one place in the pipeline")
    generator.applied.add(name)
    hit, action, given = source.name("hit"), source.name("action"), source.name("arguments")
    keys = "".join(f"{expressions.code(generator, key.expression)}, " for key in table.keys)
    if table.counter is not None or table.idle_timeout:
        lookup = generator.supply("lookup", lambda state, _: state.table(name).lookup_counted)
        source.line(f"{hit}, {action}, {given} = {lookup}(({keys}), {generator.length})")
    else:
        lookup = generator.supply("lookup", lambda state, _: state.table(name).lookup)
        source.line(f"{hit}, {action}, {given} = {lookup}(({keys}))")
    word = "if"
    for index, listed in enumerate(table.actions):
        if listed.action.body.statements:
            with source.block(f"{word} {action} == {index}"):
                _run(generator, listed, given)
            word = "elif"
    return TableResult(hit, action)


def _run(generator: Generator, listed: objects.TableAction, given: str) -> None:
    """What a listed action does with the arguments of its entry."""
    parameters = listed.action.parameters
    directed, own = parameters[: len(listed.arguments)], parameters[len(listed.arguments) :]
    with _bound(generator, directed, listed.arguments):
        targets = [allocate(generator.source, parameter.type, parameter.name) for parameter in own]
        generator.places.update(zip(own, targets, strict=True))
        if targets:
            generator.source.line(f"{', '.join(name for target in targets for name in names(target))}, = {given}")
        statements.body(generator, listed.action.body)
