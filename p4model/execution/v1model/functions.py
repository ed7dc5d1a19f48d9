"""The extern functions of v1model, but for those of checksums."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from p4model.execution import checksum, expressions, memory
from p4model.execution.generator import Generator
from p4model.execution.places import Compound, Scalar, scalars, values
from p4model.execution.storage import State
from p4model.execution.undefined import Findings
from p4model.execution.v1model import algorithms, fields
from p4model.execution.v1model.names import DIGESTS, DROP_PORT, ERROR
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types
from p4model.objects import DigestInfo

log = logging.getLogger(__name__)

_PLACE = "{}"


def verify(generator: Generator, call: ir.CallExtern) -> None:
    """Of core.p4: leave the parser with an error unless the check holds."""
    check, error = call.arguments
    assert check is not None
    assert error is not None
    with generator.source.block(f"if not {expressions.code(generator, check)}"):
        generator.source.line(f"{ERROR} = {expressions.code(generator, error)}")
        generator.source.line("break")


def mark_to_drop(generator: Generator, call: ir.CallExtern) -> None:
    """Ask for the port that drops, and for no multicast group."""
    (argument,) = call.arguments
    assert argument is not None
    metadata = expressions.place(generator, argument)
    assert isinstance(metadata, Compound)
    for name, value in (("egress_spec", DROP_PORT), ("mcast_grp", 0)):
        part = metadata.parts[name]
        assert isinstance(part, Scalar)
        generator.store(part, str(value))


def hash_fields(generator: Generator, call: ir.CallExtern) -> None:
    """result = base + hash % max, where a max of 0 is as one of 1."""
    result, algorithm, base, data, end = call.arguments
    assert base is not None
    assert end is not None
    if result is None:
        return
    if not isinstance(types.underlying(result.type), types.Bit):
        raise P4Error(result.position, f"a hash cannot be a {result.type}")
    target = expressions.place(generator, result)
    assert isinstance(target, Scalar)
    value = _hashed(generator, algorithm, fields.of(generator, data))
    limit = expressions.code(generator, end)
    limit = f"({limit} or 1)" if not isinstance(end, ir.Constant) else str(int(end.value) or 1)
    total = f"{value} % {limit} + {expressions.code(generator, base)}"
    generator.store(target, f"{total} & {expressions.mask(result.type)}")


def _hashed(generator: Generator, algorithm: ir.Expression | None, parts: list[Scalar]) -> str:
    """A Python expression for the hash of fields, those of invalid headers included: their use is a finding."""
    name, function = algorithms.named(algorithm)
    if name == "csum16":
        return checksum.of_fields(generator.source, [replace(part, valid=None) for part in parts])
    hashed = generator.supply("hash", lambda state, findings: function)
    return f"{hashed}({fields.all_bytes(parts)})"


def digest(generator: Generator, call: ir.CallExtern) -> DigestInfo:
    """Put the message in place of what an earlier call of the same packet left."""
    _, data = call.arguments
    assert data is not None
    if not isinstance(data.type, types.Struct):
        raise P4Error(data.position, f"a digest carries a struct, not a {data.type}; use digest<NAME>(...)")
    described = DigestInfo(data.type.name, memory.members(data.type))
    message = values(expressions.place(generator, data))
    generator.source.line(f"{DIGESTS} = [({described.name!r}, {message})]")
    return described


def log_msg(generator: Generator, call: ir.CallExtern) -> None:
    """Log a text whose `{}` stand for values."""
    text, data = call.arguments
    if not isinstance(text, ir.Constant):
        raise P4Error(call.position, "the message must be a constant")
    first, *others = str(text.value).split(_PLACE)
    parts = [] if data is None else list(scalars(expressions.place(generator, data)))
    if len(parts) != len(others):
        raise P4Error(call.position, f"the message has {len(others)} {_PLACE}, for {len(parts)} values")
    message = "%s: %s" + "%d%s" * len(others)

    def make(_: State, __: Findings) -> Callable[..., None]:
        def write(*given: int) -> None:
            behind = [part for pair in zip(given, others, strict=True) for part in pair]
            log.info(message, call.position, first, *behind)

        return write

    name = generator.supply("log", make)
    generator.source.line(f"{name}({', '.join(f'+{part.code}' for part in parts)})")


def check(generator: Generator, call: ir.CallExtern) -> None:
    """Of assert and assume: a finding unless the check holds."""
    (argument,) = call.arguments
    assert argument is not None
    report = generator.supply("report", lambda state, findings: findings.report)
    generator.source.line(f"if not {expressions.code(generator, argument)}: {report}('this {call.function} failed')")
