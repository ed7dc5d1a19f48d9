"""The extern objects and functions of v1model by name, and where a program may call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from p4model.execution.generator import Generator, MakeExtern
from p4model.execution.places import Compound, Place
from p4model.execution.v1model import checksums, functions
from p4model.execution.v1model.memory import Counter, DirectCounter, Register
from p4model.execution.v1model.names import Block
from p4model.language.errors import P4Error
from p4model.language.semantics.expressions import CallExtern
from p4model.language.semantics.objects import Table
from p4model.objects import DigestInfo

_EXTERNS: dict[str, MakeExtern] = {
    "counter": Counter.of,
    "direct_counter": lambda instance, name: DirectCounter(),
    "register": Register.of,
}
_MATCH_ACTION = frozenset({Block.INGRESS, Block.EGRESS})


@dataclass(slots=True)
class V1Model:
    """v1model as an architecture; `block` is the one that is being translated.

    Attributes:
        standard_metadata: Where it is, from the start of the translation.
        digests: Those of the calls that have been translated, by name.
    """

    externs: ClassVar[dict[str, MakeExtern]] = _EXTERNS
    block: Block = Block.PARSER
    standard_metadata: Compound | None = None
    digests: dict[str, DigestInfo] = field(default_factory=dict)

    def check(self, table: Table) -> None:
        """P4Error for properties of TNA."""
        if "idle_timeout" in table.properties:
            raise P4Error(table.position, "table property idle_timeout is not supported here; support_timeout is")

    def key_name(self, name: str) -> str:
        """As P4_16 has it."""
        return name

    def function(self, generator: Generator, call: CallExtern) -> Place | None:
        """Translate a call; P4Error for functions that are not modelled, or do not belong into the block."""
        if call.function not in _FUNCTIONS:
            raise P4Error(call.position, f"{call.function} is not modelled; {', '.join(sorted(_FUNCTIONS))} are")
        blocks, translate = _FUNCTIONS[call.function]
        if self.block not in blocks:
            raise P4Error(call.position, f"{call.function} cannot be called in this block of V1Switch")
        translate(self, generator, call)
        return None

    def digest(self, generator: Generator, call: CallExtern) -> None:
        """Translate a digest, and remember that there is one of this name."""
        described = functions.digest(generator, call)
        if described.name in self.digests:
            raise P4Error(
                call.position,
                f"a second call of digest with {described.name}: the control plane would hear of one of the two only",
            )
        self.digests[described.name] = described

    def verify_checksum(self, generator: Generator, call: CallExtern) -> None:
        """Translate a verification."""
        assert self.standard_metadata is not None
        checksums.verify(generator, call, self.standard_metadata)


_Translate = Callable[[V1Model, Generator, CallExtern], None]


def _plain(translate: Callable[[Generator, CallExtern], None]) -> _Translate:
    return lambda architecture, generator, call: translate(generator, call)


_VERIFY, _COMPUTE = frozenset({Block.VERIFY}), frozenset({Block.COMPUTE})
_FUNCTIONS: dict[str, tuple[frozenset[Block], _Translate]] = {
    "assert": (_MATCH_ACTION, _plain(functions.check)),
    "assume": (_MATCH_ACTION, _plain(functions.check)),
    "digest": (frozenset({Block.INGRESS}), V1Model.digest),
    "hash": (_MATCH_ACTION, _plain(functions.hash_fields)),
    "log_msg": (_MATCH_ACTION, _plain(functions.log_msg)),
    "mark_to_drop": (_MATCH_ACTION, _plain(functions.mark_to_drop)),
    "update_checksum": (_COMPUTE, _plain(checksums.update)),
    "update_checksum_with_payload": (_COMPUTE, _plain(checksums.update)),
    "verify": (frozenset({Block.PARSER}), _plain(functions.verify)),
    "verify_checksum": (_VERIFY, V1Model.verify_checksum),
    "verify_checksum_with_payload": (_VERIFY, V1Model.verify_checksum),
}
