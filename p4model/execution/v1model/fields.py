"""Lists of fields as bits: the data of hashes and checksums."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from p4model.execution import expressions
from p4model.execution.generator import Generator
from p4model.execution.packets import joined
from p4model.execution.places import Scalar, scalars
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.types import width

_BYTE = 8


def of(generator: Generator, argument: ir.Expression | None) -> list[Scalar]:
    """The fields of an argument in order; P4Error for a number without a width."""
    assert argument is not None
    for element in argument.elements if isinstance(argument, ir.Group) else (argument,):
        if element.type == types.INTEGER:
            raise P4Error(element.position, "write the width of this number: its bits are part of the data")
    return list(scalars(expressions.place(generator, argument)))


def total(parts: Sequence[Scalar]) -> int:
    """The bits of all fields."""
    return sum(width(part.type) for part in parts)


def runs(parts: Sequence[Scalar]) -> list[tuple[str | None, list[Scalar]]]:
    """Successive fields of one header, each run with that header's validity."""
    return [(valid, list(run)) for valid, run in groupby(parts, key=lambda part: part.valid)]


def all_bytes(parts: Sequence[Scalar]) -> str:
    """A Python expression for all fields one behind the other, zero bits behind the last to whole bytes."""
    bits = total(parts)
    padding = -bits % _BYTE
    value = f"({joined(list(parts))}) << {padding}" if padding else joined(list(parts))
    return f"({value}).to_bytes({(bits + padding) // _BYTE})" if bits else "b''"


def present_bytes(generator: Generator, parts: Sequence[Scalar]) -> str:
    """As `all_bytes`, for those fields alone whose headers are valid; the rest moves up."""
    source = generator.source
    value, bits = source.name("value"), source.name("bits")
    source.line(f"{value} = {bits} = 0")
    for valid, run in runs(parts):
        with source.block(f"if {valid or True}"):
            source.line(f"{value} = {value} << {total(run)} | {joined(run)}")
            source.line(f"{bits} += {total(run)}")
    return f"({value} << -{bits} % {_BYTE}).to_bytes(({bits} + {_BYTE - 1}) // {_BYTE})"
