"""Hash and CRCPolynomial."""

from __future__ import annotations

from dataclasses import dataclass

from p4model.execution import crc, expressions
from p4model.execution.generator import Generator
from p4model.execution.packets import joined
from p4model.execution.places import Place, Scalar, scalars
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import width
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo

_STANDARD = {"CRC8": crc.CRC8, "CRC16": crc.CRC16, "CRC32": crc.CRC32, "CRC64": crc.CRC64}
_MIN_WIDTH, _MAX_WIDTH = 8, 64
_BYTE = 8


class Polynomial:
    """CRCPolynomial: only an argument of Hash."""

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees nothing of it."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """It has no methods."""
        raise AssertionError(call)


@dataclass(frozen=True, slots=True)
class Hash:
    """Hash<W>: `parameters` are None for IDENTITY."""

    parameters: crc.Parameters | None
    result: types.Type

    @classmethod
    def of(cls, instance: ExternInstance) -> Hash:
        """The hash that an instance declares; P4Error for algorithms that are not supported."""
        algorithm, *polynomial = instance.arguments
        assert isinstance(algorithm, ir.Constant)
        assert isinstance(algorithm.type, types.Enum)
        name = algorithm.type.members[int(algorithm.value)]
        result = instance.type.arguments[0]
        if not isinstance(types.underlying(result), types.Bit):
            raise P4Error(instance.position, f"a hash cannot be a {result}")
        if name == "CUSTOM" and polynomial and isinstance(polynomial[0], ir.Instance):
            parameters: crc.Parameters | None = _custom(polynomial[0].instance)
        elif name == "IDENTITY":
            parameters = None
        elif name in _STANDARD:
            parameters = _STANDARD[name]
        else:
            supported = ", ".join(["IDENTITY", *_STANDARD, "CUSTOM with a CRCPolynomial"])
            raise P4Error(instance.position, f"hash algorithm {name} is not supported; {supported} are")
        if parameters is not None and width(result) > parameters.width:
            raise P4Error(
                instance.position, f"a hash of {width(result)} bits is wider than its CRC of {parameters.width}"
            )
        return cls(parameters, result)

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """The control plane sees nothing of it."""
        return None

    def call(self, generator: Generator, call: ir.CallMethod) -> Place | None:
        """get: the fields one behind the other, zeros in front to whole bytes; the result's low bits."""
        (argument,) = call.arguments
        assert argument is not None
        parts = list(scalars(expressions.place(generator, argument)))
        bits = sum(width(part.type) for part in parts)
        value = joined(parts)
        own = width(self.result)
        if self.parameters is not None:
            parameters = self.parameters
            name = generator.supply("crc", lambda state, findings: crc.function(parameters))
            value = f"{name}(({value}).to_bytes({(bits + _BYTE - 1) // _BYTE}))"
            bits = parameters.width
        result = generator.source.name("hash")
        cut = f" & {hex((1 << own) - 1)}" if own < bits else ""
        generator.source.line(f"{result} = ({value}){cut}")
        return Scalar(result, self.result, "a hash")


def _custom(instance: ExternInstance) -> crc.Parameters:
    """The CRC of a CRCPolynomial<T>(coeff, reversed, msb, extended, init, xor)."""
    values = []
    for argument in instance.arguments:
        if not isinstance(argument, ir.Constant) or not isinstance(argument.value, int):
            raise P4Error(instance.position, "the arguments of a CRCPolynomial must be constants")
        values.append(int(argument.value))
    coefficient, reversed_bits, msb, extended, initial, final_xor = values
    size = width(instance.type.arguments[0])
    if msb:
        raise P4Error(instance.position, "msb of a CRCPolynomial is not supported; give its coefficient in full")
    if extended:
        size -= 1
        coefficient &= (1 << size) - 1
    if not _MIN_WIDTH <= size <= _MAX_WIDTH:
        raise P4Error(instance.position, f"a CRC of {size} bits is not supported; {_MIN_WIDTH} to {_MAX_WIDTH} are")
    return crc.Parameters(size, coefficient, bool(reversed_bits), initial, final_xor)
