"""verify_checksum and update_checksum, with and without the payload."""

from __future__ import annotations

from p4model.execution import expressions
from p4model.execution.checksum import WORD, of_fields
from p4model.execution.generator import Generator
from p4model.execution.places import Compound, Scalar
from p4model.execution.v1model import algorithms, fields
from p4model.execution.v1model.names import DATA, OFFSET
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types

_WITH_PAYLOAD = "_with_payload"


def update(generator: Generator, call: ir.CallExtern) -> None:
    """Put the checksum of the data into a field if the condition holds."""
    condition, _, target, _ = call.arguments
    assert condition is not None
    found = _target(generator, target)
    with generator.source.block(f"if {expressions.code(generator, condition)}"):
        generator.store(found, f"{_computed(generator, call)} & {expressions.mask(found.type)}")


def verify(generator: Generator, call: ir.CallExtern, standard_metadata: Compound) -> None:
    """Set checksum_error if the condition holds and a field of a valid header has not the checksum of the data."""
    condition, _, target, _ = call.arguments
    assert condition is not None
    found = _target(generator, target)
    result = standard_metadata.parts["checksum_error"]
    assert isinstance(result, Scalar)
    with generator.source.block(f"if {found.valid or True} and {expressions.code(generator, condition)}"):
        generator.source.line(f"if {_computed(generator, call)} != {found.code}: {result.code} = 1")


def _target(generator: Generator, argument: ir.Expression | None) -> Scalar:
    assert argument is not None
    found = expressions.place(generator, argument)
    if not isinstance(found, Scalar) or not isinstance(types.underlying(found.type), types.Bit):
        raise P4Error(argument.position, f"a checksum cannot be a {argument.type}")
    return found


def _computed(generator: Generator, call: ir.CallExtern) -> str:
    """A Python name of the checksum."""
    source = generator.source
    _, data, _, argument = call.arguments
    algorithm, function = algorithms.named(argument)
    parts = fields.of(generator, data)
    payload = call.function.endswith(_WITH_PAYLOAD)
    if algorithm == "csum16" and not payload and _keeps_words(parts):
        return of_fields(source, parts)
    result = source.name("checksum")
    name = generator.supply("checksum", lambda state, findings: function)
    behind = f" + {DATA}[{OFFSET}:]" if payload else ""
    source.line(f"{result} = {name}({fields.present_bytes(generator, parts)}{behind})")
    return result


def _keeps_words(parts: list[Scalar]) -> bool:
    """Whether the fields of a header that is not valid can be zeros: without them, no other field moves in its word."""
    return all(valid is None or fields.total(run) % WORD == 0 for valid, run in fields.runs(parts))
