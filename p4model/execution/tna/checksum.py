"""Checksum: ones' complement sums of 16-bit words (RFC 1071), whole and residual (RFC 1624)."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.execution import expressions
from p4model.execution.checksum import ONES, WORD, complement, sum_of
from p4model.execution.generator import Generator
from p4model.execution.places import Place, Scalar, scalars
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo


@dataclass(slots=True)
class Checksum:
    """A checksum unit; `added` and `subtracted` are the Python names of its sums, within a parser."""

    added: str = ""
    subtracted: str = ""

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees nothing of it."""
        return None

    def start(self, generator: Generator) -> None:
        """Begin at the start of a parser."""
        self.added, self.subtracted = generator.source.name("added"), generator.source.name("subtracted")
        generator.source.line(f"{self.added} = {self.subtracted} = 0")

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """add and verify, subtract and subtract_all_and_deposit, update."""
        argument = call.arguments[0] if call.arguments else None
        if call.method == "update":
            assert argument is not None
            return self._update(generator, call, argument)
        if not self.added:
            raise P4Error(call.position, f"{call.method} of a Checksum is for parsers; deparsers have update")
        match call.method:
            case "add" | "subtract":
                assert argument is not None
                total = self.added if call.method == "add" else self.subtracted
                generator.source.line(f"{total} += {_sum(generator, argument)}")
                return None
            case "verify":
                wrong = f"not ({self.added} and {self.added} % {ONES} == 0)"
                return Scalar(f"({wrong})", types.BOOLEAN, "a checksum's state")
            case "subtract_all_and_deposit":
                assert argument is not None
                self._deposit(generator, argument)
                return None
        raise P4Error(call.position, f"{call.method} of a Checksum is not supported; use subtract_all_and_deposit")

    def _deposit(self, generator: Generator, argument: ir.Expression) -> None:
        """What is left of a checksum: the complement of what was subtracted, the checksum itself included."""
        target = expressions.place(generator, argument)
        if not isinstance(target, Scalar) or argument.type != types.Bit(WORD):
            raise P4Error(argument.position, f"a residual is a bit<{WORD}>, not a {argument.type}")
        generator.store(target, complement(self.subtracted))

    def _update(self, generator: Generator, call: ir.CallMethod, argument: ir.Expression) -> Place:
        result, total = generator.source.name("checksum"), generator.source.name("total")
        generator.source.line(f"{total} = {_sum(generator, argument)}")
        zeros_as_ones = call.arguments[1] if len(call.arguments) > 1 else None
        if zeros_as_ones is not None and not isinstance(zeros_as_ones, ir.Constant):
            raise P4Error(call.position, "zeros_as_ones must be a constant")
        last = f" or {ONES}" if zeros_as_ones is not None and zeros_as_ones.value else ""
        generator.source.line(f"{result} = {complement(total)}{last}")
        return Scalar(result, call.type, "a checksum")


def _sum(generator: Generator, argument: ir.Expression) -> str:
    """A Python expression for the sum of the fields of a list, which are whole bytes."""
    parts = list(scalars(expressions.place(generator, argument)))
    bits = sum(width(part.type) for part in parts)
    if bits % 8:
        raise P4Error(argument.position, f"{bits} bits are no whole number of bytes")
    return sum_of(parts)
