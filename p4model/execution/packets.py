"""packet_in and packet_out of core.p4: bits to headers and back."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.execution import expressions
from p4model.execution.generator import Generator
from p4model.execution.places import Compound, Place, Scalar, allocate, headers, scalars
from p4model.language.errors import P4Error, Position
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo

_BYTE = 8


@dataclass(frozen=True, slots=True)
class PacketIn:
    """The packet of a parser; the strings are Python names, the error is set before the parser's loop is left."""

    data: str
    offset: str
    end: str
    error: str
    too_short: int

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees nothing of packets."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """extract, lookahead, advance (P4_16 section 13.8)."""
        if call.method == "extract":
            self._extract(generator, call)
            return None
        if call.method == "advance":
            self._advance(generator, call)
            return None
        return self._lookahead(generator, call)

    def need(self, generator: Generator, count: int) -> None:
        """Leave the parser unless `count` more bytes are there."""
        with generator.source.block(f"if {self.offset} + {count} > {self.end}"):
            generator.source.line(f"{self.error} = {self.too_short}")
            generator.source.line("break")

    def _extract(self, generator: Generator, call: ir.CallMethod) -> None:
        (argument,) = call.arguments
        if argument is None:
            raise P4Error(call.position, "extract into _ is not supported; use advance")
        target = expressions.place(generator, argument)
        if not isinstance(target, Compound) or target.valid is None:
            raise P4Error(call.position, f"extract of {argument.type} is not supported; headers are")
        bits = _whole_bytes(call.position, width(target.type), str(target.type))
        self.need(generator, bits // _BYTE)
        self._load(generator, target, bits)
        generator.source.line(f"{self.offset} += {bits // _BYTE}")

    def _load(self, generator: Generator, target: Compound, bits: int) -> None:
        source, name = generator.source, generator.source.name("bits")
        if bits:
            source.line(f"{name} = from_bytes({self.data}[{self.offset}:{self.offset} + {bits // _BYTE}])")
        rest = bits
        for part in scalars(target):
            size = width(part.type)
            rest -= size
            value = f"{name} >> {rest}" if rest else name
            if rest + size < bits:
                value = f"{value} & {hex((1 << size) - 1)}"
            source.line(f"{part.code} = {_truth(part.type, value)}")
        if target.valid is not None:
            source.line(f"{target.valid} = True")

    def _advance(self, generator: Generator, call: ir.CallMethod) -> None:
        (argument,) = call.arguments
        if not isinstance(argument, ir.Constant) or not isinstance(argument.value, int):
            raise P4Error(call.position, "advance is supported by constants only")
        count = _whole_bytes(call.position, argument.value, "advance") // _BYTE
        self.need(generator, count)
        generator.source.line(f"{self.offset} += {count}")

    def _lookahead(self, generator: Generator, call: ir.CallMethod) -> Place:
        target = allocate(generator.source, call.type, "lookahead")
        bits = width(call.type)
        whole = (bits + _BYTE - 1) // _BYTE
        self.need(generator, whole)
        if isinstance(target, Scalar):
            value = f"from_bytes({self.data}[{self.offset}:{self.offset} + {whole}])"
            shifted = f"({value} >> {whole * _BYTE - bits})" if bits % _BYTE else value
            generator.source.line(f"{target.code} = {_truth(call.type, shifted)}")
        else:
            self._load(generator, target, _whole_bytes(call.position, bits, str(call.type)))
        return target


@dataclass(frozen=True, slots=True)
class PacketOut:
    """The packet of a deparser: a Python name of a list of bytes."""

    data: str

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees nothing of packets."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """emit (P4_16 section 16): the headers that are valid."""
        (argument,) = call.arguments
        assert argument is not None
        target = expressions.place(generator, argument)
        if isinstance(target, Scalar):
            raise P4Error(call.position, f"emit of {argument.type} is not supported; headers and structs of them are")
        for header in headers(target):
            bits = _whole_bytes(call.position, width(header.type), str(header.type))
            if bits:
                value = joined(list(scalars(header)))
                generator.source.line(f"if {header.valid}: {self.data}.append(({value}).to_bytes({bits // _BYTE}))")
        return None


def joined(parts: list[Scalar]) -> str:
    """A Python expression for the bits of all parts, the first one highest."""
    rest = sum(width(part.type) for part in parts)
    terms = []
    for part in parts:
        rest -= width(part.type)
        terms.append(f"{part.code} << {rest}" if rest else part.code)
    return " | ".join(terms)


def _truth(kind: types.Type, value: str) -> str:
    return f"({value}) == 1" if types.underlying(kind) == types.BOOLEAN else value


def _whole_bytes(position: Position, bits: int, what: str) -> int:
    if bits % _BYTE:
        raise P4Error(position, f"{what} has {bits} bits, which is no whole number of bytes")
    return bits
