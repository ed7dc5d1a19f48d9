"""counter, direct_counter and register: what lives longer than a packet."""

from __future__ import annotations

from p4model.execution import expressions, memory
from p4model.execution.elaboration import counts
from p4model.execution.generator import Generator
from p4model.execution.places import Place
from p4model.language.semantics import expressions as ir
from p4model.language.semantics.objects import ExternInstance
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo

_COUNT_BITS = 64


class Counter(memory.Counter):
    """counter, or counter<I>."""

    __slots__ = ()

    @classmethod
    def of(cls, instance: ExternInstance, name: str) -> Counter:
        """The counter that an instance declares."""
        return cls(CounterInfo(name, memory.size(instance), counts(instance.arguments[1]), _COUNT_BITS))

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """count."""
        (index,) = call.arguments
        assert index is not None
        self.count(generator, index)
        return None


class DirectCounter:
    """direct_counter: its table counts each hit, so that a call of `count` adds nothing."""

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees it through its table."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """count."""
        return None


class Register(memory.Register):
    """register<T>, or register<T, I>: it starts with zeros."""

    __slots__ = ()

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """read(result, index) and write(index, value)."""
        first, second = call.arguments
        if call.method == "write":
            assert first is not None
            assert second is not None
            self.write(generator, self.index(generator, first), expressions.place(generator, second))
            return None
        assert second is not None
        value = self.read(generator, self.index(generator, second))
        if first is not None:
            generator.copy(expressions.place(generator, first), value)
        return None
