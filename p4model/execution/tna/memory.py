"""Counter, DirectCounter, Register, RegisterAction: what lives longer than a packet."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.execution import expressions, memory, statements
from p4model.execution.elaboration import counts
from p4model.execution.generator import Generator
from p4model.execution.places import Place, allocate
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo


class Counter(memory.Counter):
    """Counter<W, I>."""

    __slots__ = ()

    @classmethod
    def of(cls, instance: ExternInstance, name: str) -> Counter:
        """The counter that an instance declares."""
        bits = width(instance.type.arguments[0])
        return cls(CounterInfo(name, memory.size(instance), counts(instance.arguments[1]), bits))

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """count."""
        index, adjust = call.arguments
        assert index is not None
        if adjust is not None:
            raise P4Error(call.position, "adjust_byte_count is not supported")
        self.count(generator, index)
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


class Register(memory.Register):
    """Register<T, I>, which may have an initial value."""

    __slots__ = ()

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
