"""The extern objects and functions of TNA by name."""

from __future__ import annotations

from collections.abc import Callable

from p4model.execution import expressions
from p4model.execution.generator import ExternModel, Generator
from p4model.execution.places import Place, Scalar
from p4model.execution.tna.checksum import Checksum
from p4model.execution.tna.digest import Digest
from p4model.execution.tna.hashing import Hash, Polynomial
from p4model.execution.tna.memory import Counter, DirectCounter, Register, RegisterAction
from p4model.language.errors import P4Error
from p4model.language.semantics.expressions import CallExtern
from p4model.language.semantics.objects import ExternInstance
from p4model.language.semantics.types import Bit

DIGESTS = "digests"
"""The Python name of the list of a packet's digests."""

_EXTERNS: dict[str, Callable[[ExternInstance, str], ExternModel]] = {
    "CRCPolynomial": lambda instance, name: Polynomial(),
    "Checksum": lambda instance, name: Checksum(),
    "Counter": Counter.of,
    "Digest": lambda instance, name: Digest.of(instance, name, DIGESTS),
    "DirectCounter": lambda instance, name: DirectCounter(),
    "Hash": lambda instance, name: Hash.of(instance),
    "Register": Register.of,
    "RegisterAction": lambda instance, name: RegisterAction.of(instance),
}


class Tna:
    """TNA as an architecture."""

    def extern(self, instance: ExternInstance, name: str) -> ExternModel:
        """The model of an extern object; P4Error if there is none."""
        make = _EXTERNS.get(instance.type.name)
        if make is None:
            supported = ", ".join(sorted(_EXTERNS))
            raise P4Error(instance.position, f"{instance.type.name} is not modelled; {supported} are")
        return make(instance, name)

    def function(self, generator: Generator, call: CallExtern) -> Place | None:
        """max and min of numbers; P4Error for other functions."""
        if call.function not in {"max", "min"} or not isinstance(call.type, Bit):
            raise P4Error(call.position, f"{call.function} is not modelled here; max and min of bit<N> are")
        values = [expressions.code(generator, argument) for argument in call.arguments if argument is not None]
        return Scalar(f"{call.function}({', '.join(values)})", call.type, "a value")
