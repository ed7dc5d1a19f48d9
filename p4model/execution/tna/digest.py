"""Digest: what the deparser reports to the control plane."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.execution import expressions
from p4model.execution.generator import Generator
from p4model.execution.places import Place, scalars, values
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, Field, RegisterInfo

_MAX_BITS = 384


@dataclass(frozen=True, slots=True)
class Digest:
    """Digest<T>; `reports` is the Python name of the list that reports go to."""

    described: DigestInfo
    type: types.Struct
    reports: str

    @classmethod
    def of(cls, instance: ExternInstance, name: str, reports: str) -> Digest:
        """The digest that an instance declares; P4Error if the chip could not carry it."""
        kind = instance.type.arguments[0]
        if not isinstance(kind, types.Struct):
            raise P4Error(instance.position, f"a Digest carries a struct, not a {kind}")
        if width(kind) > _MAX_BITS:
            raise P4Error(instance.position, f"a Digest carries {_MAX_BITS} bits at most; {kind} has {width(kind)}")
        members = tuple(Field(field.name, width(field.type)) for field in kind.fields)
        return cls(DigestInfo(name, members), kind, reports)

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """Its members."""
        return self.described

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """pack."""
        (argument,) = call.arguments
        assert argument is not None
        packed = expressions.place(generator, argument)
        if len(list(scalars(packed))) != len(self.described.members):
            raise P4Error(argument.position, f"expected {self.type}, not {argument.type}")
        generator.source.line(f"{self.reports}.append(({self.described.name!r}, {values(packed)}))")
        return None
