"""Counter, DirectCounter, Register, RegisterAction: what lives longer than a packet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from p4model.execution import expressions, statements
from p4model.execution.elaboration import counts
from p4model.execution.generator import Generator
from p4model.execution.places import Place, allocate, scalars
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, Field, RegisterInfo


@dataclass(frozen=True, slots=True)
class Counter:
    """Counter<W, I>."""

    described: CounterInfo

    @classmethod
    def of(cls, instance: ExternInstance, name: str) -> Counter:
        """The counter that an instance declares."""
        kind = instance.arguments[1]
        assert isinstance(kind, ir.Constant)
        return cls(CounterInfo(name, _size(instance), counts(kind), width(instance.type.arguments[0])))

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """Its size and what it counts."""
        return self.described

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """count."""
        index, adjust = call.arguments
        assert index is not None
        if adjust is not None:
            raise P4Error(call.position, "adjust_byte_count is not supported")
        name = self.described.name
        count = generator.supply("count", lambda state, _: state.counter(name).count)
        number = _index(generator, index, name, self.described.size)
        generator.source.line(f"if {number} is not None: {count}({number}, {generator.length})")
        return None


class DirectCounter:
    """DirectCounter<W>: its table counts each hit, as every action of it asks for."""

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees it as part of its table."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """count."""
        if any(argument is not None for argument in call.arguments):
            raise P4Error(call.position, "adjust_byte_count is not supported")
        return None


@dataclass(frozen=True, slots=True)
class Register:
    """Register<T, I>."""

    described: RegisterInfo
    type: types.Type

    @classmethod
    def of(cls, instance: ExternInstance, name: str) -> Register:
        """The register that an instance declares; one without an initial value starts with zeros."""
        kind = instance.type.arguments[0]
        if isinstance(kind, types.Struct):
            members = tuple(Field(field.name, width(field.type)) for field in kind.fields)
        else:
            members = (Field("f1", width(kind)),)
        initial = instance.arguments[1] if len(instance.arguments) > 1 else None
        return cls(RegisterInfo(name, _size(instance), members, _initial(initial, len(members))), kind)

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """Its size and members."""
        return self.described

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """read and write."""
        index = call.arguments[0]
        assert index is not None
        number = self.index(generator, index)
        if call.method == "read":
            return self.read(generator, number)
        value = call.arguments[1]
        assert value is not None
        self.write(generator, number, expressions.place(generator, value))
        return None

    def index(self, generator: Generator, index: ir.Expression) -> str:
        """The Python name of an index, None where it is not within the register."""
        return _index(generator, index, self.described.name, self.described.size)

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
        values = "".join(f"+{part.code}, " for part in scalars(value))
        generator.source.line(f"if {number} is not None: {write}({number}, ({values}))")


@dataclass(frozen=True, slots=True)
class RegisterAction:
    """RegisterAction<T, I, U>; `register` gives the model of its register."""

    instance: ExternInstance
    result: types.Type

    @classmethod
    def of(cls, instance: ExternInstance) -> RegisterAction:
        """The action that an instance declares; P4Error if its method does not fit its register."""
        register = instance.arguments[0]
        assert isinstance(register, ir.Instance)
        value, *results = instance.methods["apply"].parameters
        result = instance.type.arguments[2]
        if value.direction != "inout" or value.type != register.instance.type.arguments[0]:
            raise P4Error(value.position, f"expected `inout {register.instance.type.arguments[0]} {value.name}`")
        if len(results) > 1:
            raise P4Error(results[1].position, "more than one result of a RegisterAction is not supported")
        if results and (results[0].direction != "out" or results[0].type != result):
            raise P4Error(results[0].position, f"expected `out {result} {results[0].name}`")
        return cls(instance, result)

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees only the register."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """execute: read, apply, write."""
        (index,) = call.arguments
        assert index is not None
        argument = self.instance.arguments[0]
        assert isinstance(argument, ir.Instance)
        register = generator.models[argument.instance]
        assert isinstance(register, Register)
        number = register.index(generator, index)
        method = self.instance.methods["apply"]
        value, *results = method.parameters
        generator.places[value] = register.read(generator, number)
        result = allocate(generator.source, self.result, "result")
        generator.undefine(result)
        for parameter in results:
            generator.places[parameter] = result
        statements.body(generator, method.body)
        register.write(generator, number, generator.places[value])
        return result


def _size(instance: ExternInstance) -> int:
    size = instance.arguments[0]
    if not isinstance(size, ir.Constant) or not isinstance(size.value, int) or size.value < 1:
        raise P4Error(instance.position, f"the size of {instance.name} must be a positive constant")
    return size.value


def _initial(initial: ir.Expression | None, members: int) -> tuple[int, ...]:
    if initial is None:
        return (0,) * members
    parts = initial.elements if isinstance(initial, ir.Group) else (initial,)
    values = [part.value for part in parts if isinstance(part, ir.Constant) and isinstance(part.value, int)]
    if len(values) != members:
        raise P4Error(initial.position, "the initial value of a Register must be a constant")
    return tuple(int(value) for value in values)


def _index(generator: Generator, index: ir.Expression, name: str, size: int) -> str:
    """The Python name of an index; one beyond the end becomes None, and a finding."""
    number = generator.source.name("index")
    generator.source.line(f"{number} = {expressions.code(generator, index)}")

    def make(_: object, findings: object) -> Callable[[int], None]:
        def beyond(found: int) -> None:
            findings.report(f"index {found} is beyond the {size} of {name}")  # type: ignore[attr-defined]

        return beyond

    beyond = generator.supply("beyond", make)
    generator.source.line(f"if {number} >= {size}: {number} = {beyond}({number})")
    return number
