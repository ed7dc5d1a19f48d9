"""Undefined values: numbers that report whoever computes with them.

Reading what has no value is legal P4 and a bug of the program, so the interpreter goes on with 0 and reports it.
That costs nothing where all is defined: an undefined value is an int whose every operation reports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from p4model.language.errors import Position


class Findings:
    """Collects what a packet came upon; `code_name` is the file name of the generated code."""

    def __init__(self, code_name: str, positions: Sequence[Position]) -> None:
        self._code_name = code_name
        self._positions = positions
        self._found: list[str] = []

    def take(self) -> list[str]:
        """What was found since the last call, each once."""
        found, self._found = self._found, []
        return found

    def report(self, what: str) -> None:
        """Note `what`, at the position of the statement that runs."""
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self._code_name:
            if frame.f_back is None:
                raise RuntimeError(f"{what}, but no program runs")
            frame = frame.f_back
        finding = f"{self._positions[frame.f_lineno - 1]}: {what}"
        if finding not in self._found:
            self._found.append(finding)


class Undefined(int):
    """A value that nobody gave: 0, and a finding, for whoever uses it; copying it is no use."""

    what: str
    findings: Findings

    def __new__(cls, what: str, findings: Findings) -> Undefined:
        """`what` completes "read of ..."."""
        value = super().__new__(cls, 0)
        value.what = what
        value.findings = findings
        return value


def _reporting(name: str) -> Callable[..., object]:
    operation = getattr(int, name)

    def use(self: Undefined, *arguments: int) -> object:
        self.findings.report(f"read of {self.what}")
        return operation(0, *arguments)

    return use


_BINARY = ("add", "sub", "mul", "and", "or", "xor", "lshift", "rshift", "mod", "floordiv")
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_UNARY = ("hash", "bool", "int", "index", "neg", "pos", "invert")

for _name in (
    *(f"__{side}{name}__" for name in _BINARY for side in ("", "r")),
    *(f"__{name}__" for name in (*_COMPARISONS, *_UNARY)),
    "to_bytes",
):
    setattr(Undefined, _name, _reporting(_name))
