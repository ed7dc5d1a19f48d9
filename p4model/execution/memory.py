"""Counters and registers: what lives longer than a packet; architectures add how a program calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from p4model.execution import expressions
from p4model.execution.generator import Generator
from p4model.execution.places import Place, allocate, scalars, values
from p4model.execution.storage import State
from p4model.execution.undefined import Findings
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, Field, RegisterInfo


@dataclass(frozen=True, slots=True)
class Counter:
    """An indirect counter."""

    described: CounterInfo

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """Its size and what it counts."""
        return self.described

    def count(self, generator: Generator, index: ir.Expression) -> None:
        """Translate the counting of the frame at an index."""
        name = self.described.name
        count = generator.supply("count", lambda state, _: state.counter(name).count)
        number = _within(generator, index, name, self.described.size)
        generator.source.line(f"if {number} is not None: {count}({number}, {generator.length})")


@dataclass(frozen=True, slots=True)
class Register:
    """A register array of a type."""

    described: RegisterInfo
    type: types.Type

    @classmethod
    def of(cls, instance: ExternInstance, name: str) -> Self:
        """The register that an instance declares; one without an initial value starts with zeros."""
        kind = instance.type.arguments[0]
        fields = members(kind)
        initial = instance.arguments[1] if len(instance.arguments) > 1 else None
        return cls(RegisterInfo(name, size(instance), fields, _initial(initial, len(fields))), kind)

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """Its size and members."""
        return self.described

    def index(self, generator: Generator, index: ir.Expression) -> str:
        """The Python name of an index, None where it is not within the register."""
        return _within(generator, index, self.described.name, self.described.size)

    def read(self, generator: Generator, number: str) -> Place:
        """The value at an index; zeros outside of the register."""
        name = self.described.name
        read = generator.supply("read", lambda state, _: state.register(name).read)
        target = allocate(generator.source, self.type, "value")
        zeros = (0,) * len(self.described.members)
        names = ", ".join(part.code for part in scalars(target))
        generator.source.line(f"{names}, = {read}({number}) if {number} is not None else {zeros!r}")
        return target

    def write(self, generator: Generator, number: str, value: Place) -> None:
        """Replace the value at an index; nothing happens outside of the register."""
        name = self.described.name
        write = generator.supply("write", lambda state, _: state.register(name).write)
        generator.source.line(f"if {number} is not None: {write}({number}, {values(value)})")


def members(kind: types.Type) -> tuple[Field, ...]:
    """The members of a register or digest of this type; a single one is called `f1`."""
    if isinstance(kind, types.Struct):
        return tuple(Field(field.name, width(field.type)) for field in kind.fields)
    return (Field("f1", width(kind)),)


def size(instance: ExternInstance) -> int:
    """The size that the first argument of an array gives; P4Error if it is none."""
    given = instance.arguments[0]
    if not isinstance(given, ir.Constant) or not isinstance(given.value, int) or given.value < 1:
        raise P4Error(instance.position, f"the size of {instance.name} must be a positive constant")
    return given.value


def _initial(initial: ir.Expression | None, count: int) -> tuple[int, ...]:
    if initial is None:
        return (0,) * count
    parts = initial.elements if isinstance(initial, ir.Group) else (initial,)
    values = [part.value for part in parts if isinstance(part, ir.Constant) and isinstance(part.value, int)]
    if len(values) != count:
        raise P4Error(initial.position, "the initial value of a Register must be a constant")
    return tuple(int(value) for value in values)


def _within(generator: Generator, index: ir.Expression, name: str, end: int) -> str:
    """The Python name of an index; one beyond the end becomes None, and a finding."""
    number = generator.source.name("index")
    generator.source.line(f"{number} = {expressions.code(generator, index)}")

    def make(_: State, findings: Findings) -> Callable[[int], None]:
        def beyond(found: int) -> None:
            findings.report(f"index {found} is beyond the {end} of {name}")

        return beyond

    beyond = generator.supply("beyond", make)
    generator.source.line(f"if {number} >= {end}: {number} = {beyond}({number})")
    return number
