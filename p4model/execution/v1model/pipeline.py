"""The pipeline of v1model: parser, checksum verification, ingress, egress, checksum update, deparser.

What it stands on is simple_switch: metadata starts as zero; a packet with a parser error goes on, with what was
parsed before it; port 511 drops, at the end of ingress and of egress. Reading the program's own metadata before it
is written, or what exists only in egress, is a finding all the same. Time stamps and queue depths are 0. Multicast,
clones, resubmission, recirculation and priorities do not exist: a program that asks for them is refused.
"""

from __future__ import annotations

from p4model.execution import blocks, parsers
from p4model.execution.blocks import Blocks
from p4model.execution.elaboration import Elaboration
from p4model.execution.generator import Generator
from p4model.execution.packets import PacketIn, PacketOut
from p4model.execution.places import Compound, Place, Scalar, allocate, headers, scalars
from p4model.execution.v1model.architecture import V1Model
from p4model.execution.v1model.names import (
    DATA,
    DIGESTS,
    DROP_PORT,
    END,
    ERROR,
    OFFSET,
    Block,
    is_standard_metadata,
)
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import objects, statements
from p4model.language.semantics.types import width
from p4model.objects import ProgramInfo

_NOT_MODELLED = frozenset({"mcast_grp", "egress_rid", "priority"})
_QUEUE = ("enq_timestamp", "enq_qdepth", "deq_timedelta", "deq_qdepth")
_EGRESS_ONLY = ("egress_port", "egress_rid", "egress_global_timestamp", *_QUEUE)
_CONTROLS = (Block.VERIFY, Block.INGRESS, Block.EGRESS, Block.COMPUTE, Block.DEPARSER)
_CALLS_ONLY = {
    Block.VERIFY: "verify_checksum and verify_checksum_with_payload",
    Block.COMPUTE: "update_checksum and update_checksum_with_payload",
    Block.DEPARSER: "emit",
}
_BYTE = 8


def generate(program: objects.CheckedProgram) -> tuple[Generator, ProgramInfo]:
    """The function `process(port, frame)` of a program for v1model, and what it shows; raises P4Error."""
    found = Blocks(program.main)
    found.refuse_requests(is_standard_metadata, _NOT_MODELLED)
    _check(found)
    architecture = V1Model()
    elaboration = Elaboration(architecture)
    elaboration.parser(found.parser(Block.PARSER.value))
    for block in _CONTROLS:
        elaboration.control(found.control(block.value))
    generator = Generator(architecture, instances=elaboration.instances)
    _Shell(generator, architecture, found, program.errors.index("PacketTooShort")).process()
    elaboration.digests.extend(architecture.digests.values())
    return generator, elaboration.info()


def _check(found: Blocks) -> None:
    """Refuse what p4c refuses for bmv2: other types of headers and metadata, rejecting parsers, code beside calls."""
    parser = found.parser(Block.PARSER.value)
    for state in parser.states.values():
        targets = [state.transition] if isinstance(state.transition, str) else [to for _, to in state.transition.cases]
        if "reject" in targets:
            raise P4Error(state.position, "bmv2 has no transition to reject; use verify")
    for block in _CONTROLS:
        control = found.control(block.value)
        for own, parameter in zip(parser.parameters[1:], _own_parameters(control, block), strict=False):
            if parameter.type != own.type:
                raise P4Error(parameter.position, f"{parameter.name}: expected {own.type}, not {parameter.type}")
        if block in _CALLS_ONLY:
            _calls_only(control.body, f"only calls of {_CALLS_ONLY[block]} are allowed here")


def _own_parameters(control: objects.Control, block: Block) -> tuple[ir.Variable, ...]:
    """Headers, metadata and standard metadata."""
    return control.parameters[1:] if block is Block.DEPARSER else control.parameters


def _calls_only(block: statements.Block, message: str) -> None:
    for statement in block.statements:
        if isinstance(statement, statements.Block):
            _calls_only(statement, message)
        elif not isinstance(statement, statements.Evaluate) or not isinstance(
            statement.expression, ir.CallExtern | ir.CallMethod
        ):
            raise P4Error(statement.position, message)


class _Shell:
    """Writes the function."""

    def __init__(self, generator: Generator, architecture: V1Model, found: Blocks, too_short: int) -> None:
        self._generator = generator
        self._source = generator.source
        self._architecture = architecture
        self._blocks = found
        self._packet = PacketIn(DATA, OFFSET, END, ERROR, too_short)
        self._places: list[Place] = []
        """Headers, metadata and standard metadata: one set for the whole pipeline."""

    def process(self) -> None:
        source = self._source
        with source.block(f"def process(port, {DATA})"):
            source.line(f"{DIGESTS} = []")
            source.line(f"{OFFSET}, {END} = 0, len({DATA})")
            source.line(f"{self._generator.length} = {END}")
            self._parse()
            self._control(Block.VERIFY)
            parsed = self._header_bytes()
            self._control(Block.INGRESS)
            port = source.name("port")
            source.line(f"{port} = +{self._field('egress_spec')}")
            source.line(f"if {port} == {DROP_PORT}: return None, None, {DIGESTS}")
            self._enter_egress(port, parsed)
            self._control(Block.EGRESS)
            source.line(f"if {self._field('egress_spec')} == {DROP_PORT}: return None, None, {DIGESTS}")
            self._control(Block.COMPUTE)
            source.line("out = []")
            self._generator.models[self._blocks.control(Block.DEPARSER.value).parameters[0]] = PacketOut("out")
            self._control(Block.DEPARSER)
            source.line(f"out.append({DATA}[{OFFSET}:])")
            source.line(f"return {port}, b''.join(out), {DIGESTS}")

    def _parse(self) -> None:
        """Headers and metadata before the program runs, then the parser."""
        generator = self._generator
        parser = self._blocks.parser(Block.PARSER.value)
        packet, *parameters = parser.parameters
        generator.models[packet] = self._packet
        for parameter in parameters:
            place = allocate(self._source, parameter.type, parameter.name)
            generator.places[parameter] = place
            self._places.append(place)
            if is_standard_metadata(parameter.type):
                self._start(place)
            else:
                generator.undefine(place)
        parsers.translate(generator, parser, parsers.Errors(ERROR, None))
        self._source.line(f"{self._field('parser_error')} = {ERROR}")

    def _start(self, place: Place) -> None:
        assert isinstance(place, Compound)
        self._architecture.standard_metadata = place
        self._source.line(f"{' = '.join(part.code for part in scalars(place))} = 0")
        self._source.line(f"{self._field('ingress_port')} = port")
        self._source.line(f"{self._field('packet_length')} = {END}")
        self._generator.undefine(Compound(place.type, place.shown, {name: place.parts[name] for name in _EGRESS_ONLY}))

    def _control(self, block: Block) -> None:
        self._architecture.block = block
        control = self._blocks.control(block.value)
        self._generator.places.update(zip(_own_parameters(control, block), self._places, strict=False))
        blocks.translate(self._generator, control)

    def _enter_egress(self, port: str, parsed: str) -> None:
        zeros = [self._field(name) for name in ("egress_spec", *_EGRESS_ONLY)]
        self._source.line(f"{' = '.join(zeros)} = 0")
        self._source.line(f"{self._field('egress_port')} = {port}")
        if parsed:
            self._source.line(f"{self._field('packet_length')} = {END} - {parsed} + {self._header_bytes()}")

    def _header_bytes(self) -> str:
        """A Python name of how many bytes the valid headers have; none if egress does not read packet_length."""
        egress = self._blocks.control(Block.EGRESS.value)
        if not blocks.reads(egress, "packet_length", is_standard_metadata):
            return ""
        name = self._source.name("header_bytes")
        terms = [f"{header.valid} * {width(header.type) // _BYTE}" for header in headers(self._places[0])]
        self._source.line(f"{name} = {' + '.join(terms) or 0}")
        return name

    def _field(self, name: str) -> str:
        """The Python name of a field of the standard metadata."""
        assert self._architecture.standard_metadata is not None
        part = self._architecture.standard_metadata.parts[name]
        assert isinstance(part, Scalar)
        return part.code
