"""Translation of statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p4model.execution import calls, expressions
from p4model.execution.generator import Generator
from p4model.execution.places import Place, Scalar, allocate
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import statements


class ProgramExit(Exception):
    """`exit`: leaves the block that the architecture started."""


def translate(generator: Generator, statement: statements.Statement) -> None:
    """Translate a statement at the current place of the source."""
    with generator.source.at(statement.position):
        _translate(generator, statement)


def _translate(generator: Generator, statement: statements.Statement) -> None:
    source = generator.source
    match statement:
        case statements.Block(statements=inner):
            for each in inner:
                translate(generator, each)
        case statements.Assign(target=target, value=value):
            expressions.assign(generator, target, value)
        case statements.Declare():
            declare(generator, statement)
        case statements.Evaluate(expression=expression):
            calls.call(generator, expression)
        case statements.If(condition=condition, then=then, otherwise=otherwise):
            with source.block(f"if {expressions.code(generator, condition)}"):
                translate(generator, then)
            if otherwise is not None:
                with source.block("else"):
                    translate(generator, otherwise)
        case statements.Switch():
            _switch(generator, statement)
        case statements.Return(value=value):
            result = generator.returns[-1]
            if value is not None and result is not None:
                generator.copy(result, expressions.place(generator, value))
            source.line("break")
        case statements.Exit():
            for copy in (copy for copies in reversed(generator.copies) for copy in copies):
                copy(generator)
            name = generator.supply("exit", lambda state, findings: ProgramExit)
            source.line(f"raise {name}")
        case _:
            raise AssertionError(statement)


def declare(generator: Generator, declared: statements.Declare) -> None:
    """Give a local variable its place, and its initial value or none."""
    variable = declared.variable
    target: Place = allocate(generator.source, variable.type, variable.name)
    generator.places[variable] = target
    if declared.initial is None:
        generator.undefine(target)
    elif isinstance(target, Scalar):
        generator.store(target, expressions.code(generator, declared.initial))
    else:
        generator.copy(target, expressions.place(generator, declared.initial))


def body(generator: Generator, block: statements.Block, result: Place | None = None) -> None:
    """Translate the body of a control, action or function, which `return` leaves."""
    if not any(isinstance(statement, statements.Return) for statement in _within(block)):
        translate(generator, block)
        return
    generator.returns.append(result)
    with generator.source.block("for _ in (0,)"):
        translate(generator, block)
    generator.returns.pop()


def _within(statement: statements.Statement) -> Iterator[statements.Statement]:
    yield statement
    match statement:
        case statements.Block(statements=inner):
            for each in inner:
                yield from _within(each)
        case statements.If(then=then, otherwise=otherwise):
            yield from _within(then)
            if otherwise is not None:
                yield from _within(otherwise)
        case statements.Switch(cases=cases, default=default):
            for _, block in cases:
                yield from _within(block)
            if default is not None:
                yield from _within(default)


def _switch(generator: Generator, statement: statements.Switch) -> None:
    source = generator.source
    if isinstance(statement.subject, ir.ApplyTable):
        subject = calls.apply_table(generator, statement.subject).action
    else:
        subject = source.name("subject")
        source.line(f"{subject} = {expressions.code(generator, statement.subject)}")
    word = "if"
    for labels, block in statement.cases:
        with source.block(f"{word} {_among(subject, labels)}"):
            translate(generator, block)
        word = "elif"
    if statement.default is not None:
        with source.block("else" if statement.cases else "if True"):
            translate(generator, statement.default)


def _among(subject: str, labels: Sequence[int]) -> str:
    if len(labels) == 1:
        return f"{subject} == {labels[0]!r}"
    return f"{subject} in {tuple(labels)!r}"
