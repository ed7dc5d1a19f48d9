"""Translation of parsers (P4_16 section 13).

States with one way in stand where they are entered, the others are cases of a loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from p4model.execution import expressions, statements
from p4model.execution.generator import Generator
from p4model.language.semantics import objects
from p4model.language.semantics.expressions import KeyMatch

_START = "start"


@dataclass(frozen=True, slots=True)
class Errors:
    """The Python name of the parser's error, and the values that it gets; 0 is none.

    Where `no_match` is None, the target accepts what no case matches, and a finding tells that P4_16 does not.
    """

    name: str
    no_match: int | None


def translate(generator: Generator, parser: objects.Parser, errors: Errors) -> None:
    """Translate a parser whose parameters are in place; the error tells how it ended."""
    generator.path = parser.name
    for extern in parser.externs:
        generator.models[extern] = generator.instances[parser.name, extern]
    for local in parser.locals:
        statements.declare(generator, local)
    generator.source.line(f"{errors.name} = 0")
    _Machine(generator, parser, errors).translate()


class _Machine:
    def __init__(self, generator: Generator, parser: objects.Parser, errors: Errors) -> None:
        self._generator = generator
        self._parser = parser
        self._errors = errors
        self._state = generator.source.name("state")
        entered = Counter(target for state in parser.states.values() for target in _targets(state))
        joints = [name for name in parser.states if name == _START or entered[name] > 1]
        self._numbers = {name: number for number, name in enumerate(joints)}

    def translate(self) -> None:
        source = self._generator.source
        source.line(f"{self._state} = {self._numbers[_START]}")
        with source.block("while True"):
            word = "if"
            for name, number in self._numbers.items():
                with source.block(f"{word} {self._state} == {number}"):
                    self._translate(self._parser.states[name])
                word = "elif"

    def _translate(self, state: objects.State) -> None:
        with self._generator.source.at(state.position):
            for statement in state.statements:
                statements.translate(self._generator, statement)
            if isinstance(state.transition, str):
                self._go(state, state.transition)
            else:
                self._select(state, state.transition)

    def _select(self, state: objects.State, select: objects.Select) -> None:
        generator, source = self._generator, self._generator.source
        subjects = []
        for subject in select.subjects:
            name = source.name("subject")
            source.line(f"{name} = {expressions.code(generator, subject)}")
            subjects.append(name)
        word = "if"
        for matches, target in select.cases:
            conditions = [
                _condition(subject, found)
                for subject, found in zip(subjects, matches, strict=True)
                if found is not None
            ]
            if not conditions:
                with source.block("else" if word == "elif" else "if True"):
                    self._go(state, target)
                return
            with source.block(f"{word} {' and '.join(conditions)}"):
                self._go(state, target)
            word = "elif"
        with source.block("else" if word == "elif" else "if True"):
            self._fail()

    def _go(self, state: objects.State, target: str) -> None:
        source = self._generator.source
        if target == "accept":
            source.line("break")
        elif target == "reject":
            self._fail()
        elif target in self._numbers:
            source.line(f"{self._state} = {self._numbers[target]}")
            source.line("continue")
        else:
            self._translate(self._parser.states[target])

    def _fail(self) -> None:
        source = self._generator.source
        if self._errors.no_match is None:
            report = self._generator.supply("report", lambda _, findings: findings.report)
            source.line(f"{report}('no case of this select matches')")
        else:
            source.line(f"{self._errors.name} = {self._errors.no_match}")
        source.line("break")


def _targets(state: objects.State) -> Iterable[str]:
    if isinstance(state.transition, str):
        return [state.transition]
    return [target for _, target in state.transition.cases]


def _condition(subject: str, found: KeyMatch) -> str:
    if found.high is not None:
        return f"{found.value!r} <= {subject} <= {found.high!r}"
    if found.mask is not None:
        return f"({subject} & {found.mask:#x}) == {found.value & found.mask:#x}"
    return f"{subject} == {found.value!r}"
