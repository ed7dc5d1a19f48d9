"""The extern objects and functions of TNA by name."""

from __future__ import annotations

import re

from p4model.execution import expressions
from p4model.execution.generator import Generator, MakeExtern
from p4model.execution.places import Place, Scalar
from p4model.execution.tna.checksum import Checksum
from p4model.execution.tna.digest import Digest
from p4model.execution.tna.hashing import Hash, Polynomial
from p4model.execution.tna.memory import Counter, DirectCounter, Register, RegisterAction
from p4model.execution.walk import nodes
from p4model.language.errors import P4Error
from p4model.language.semantics.expressions import CallExtern, CallMethod
from p4model.language.semantics.objects import Table
from p4model.language.semantics.types import Bit
from p4model.objects import ActionScope

_ELEMENT = re.compile(r"\[(\d+)\]")

DIGESTS = "digests"
"""The Python name of the list of a packet's digests."""

_EXTERNS: dict[str, MakeExtern] = {
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

    externs = _EXTERNS

    def check(self, table: Table) -> None:
        """P4Error for properties of v1model, and for an action that does not count where every hit is counted."""
        if "support_timeout" in table.properties:
            raise P4Error(table.position, "table property support_timeout is not supported here; idle_timeout is")
        if table.counter is None:
            return
        for listed in table.actions:
            calls = [node.object for node in nodes(listed.action.body) if isinstance(node, CallMethod)]
            if listed.scope is not ActionScope.DEFAULT_ONLY and table.counter not in calls:
                name, counter = listed.action.control_name, table.counter.name
                raise P4Error(
                    listed.action.position, f"{name} must call {counter}.count(): {table.control_name} counts every hit"
                )

    def key_name(self, name: str) -> str:
        """As in bf-rt.json: `$valid` for isValid(), `$n` for an element of a stack."""
        return _ELEMENT.sub(r"$\1", name.replace("$valid$", "$valid"))

    def function(self, generator: Generator, call: CallExtern) -> Place | None:
        """max and min of numbers; P4Error for other functions."""
        if call.function not in {"max", "min"} or not isinstance(call.type, Bit):
            raise P4Error(call.position, f"{call.function} is not modelled here; max and min of bit<N> are")
        values = [expressions.code(generator, argument) for argument in call.arguments if argument is not None]
        return Scalar(f"{call.function}({', '.join(values)})", call.type, "a value")
