"""The pipeline of TNA: parser, control and deparser of ingress, the traffic manager, the same of egress.

What it stands on: parser errors as the chip reports them; a packet with an error is dropped unless the control looks
at `parser_err`. Time stamps, queue depths and versions are 0. Multicast, mirroring, resubmission and copies to the
CPU do not exist: a program that asks for them is refused.
"""

from __future__ import annotations

from p4model.execution import blocks, parsers
from p4model.execution.blocks import Blocks
from p4model.execution.elaboration import Elaboration
from p4model.execution.generator import Generator
from p4model.execution.packets import PacketIn, PacketOut
from p4model.execution.places import Compound, Place, Scalar, allocate, scalars
from p4model.execution.tna.architecture import DIGESTS, Tna
from p4model.execution.tna.checksum import Checksum
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import objects
from p4model.language.semantics.types import Header, Struct, Type, width
from p4model.objects import ProgramInfo

_NO_MATCH, _PARTIAL_HEADER = 0x0001, 0x0002
_PARSERS_WORD = "_intrinsic_metadata_from_parser_t"
_NOT_MODELLED = frozenset({
    "copy_to_cpu", "mcast_grp_a", "mcast_grp_b", "deflect_on_drop", "resubmit_type", "mirror_type",
})  # fmt: skip
_BYTE = 8


def generate(program: objects.CheckedProgram) -> tuple[Generator, ProgramInfo]:
    """The function `process(port, frame)` of a program for TNA, and what it shows; raises P4Error."""
    (pipeline,) = program.main.arguments.values()
    assert isinstance(pipeline, objects.PackageInstance)
    found = Blocks(pipeline)
    found.refuse_requests(lambda kind: "_intrinsic_metadata_for_" in str(kind), _NOT_MODELLED)
    architecture = Tna()
    elaboration = Elaboration(architecture)
    for gress in ("ingress", "egress"):
        elaboration.parser(found.parser(f"{gress}_parser"))
        for name in (gress, f"{gress}_deparser"):
            elaboration.control(found.control(name))
    generator = Generator(architecture, instances=elaboration.instances)
    _Shell(generator, found, program.constants["PORT_METADATA_SIZE"]).process()
    return generator, elaboration.info()


class _Shell:
    """Writes the function."""

    def __init__(self, generator: Generator, found: Blocks, port_metadata_bits: int) -> None:
        self._generator = generator
        self._source = generator.source
        self._blocks = found
        self._port_metadata = port_metadata_bits // _BYTE
        self._intrinsic: dict[Type, Place] = {}

    def process(self) -> None:
        generator, source = self._generator, self._source
        with source.block("def process(port, frame)"):
            source.line(f"{DIGESTS} = []")
            source.line(f"{generator.length} = len(frame)")
            before = 8 + self._port_metadata
            source.line(f"data = (port << {before * _BYTE - 16}).to_bytes({before}) + frame")
            manager = self._gress("ingress", "return None, None, digests")
            port, bypass = manager["ucast_egress_port"], manager["bypass_egress"]
            source.line(f"if {port}.__class__ is not int: return None, None, {DIGESTS}")
            with source.block(f"if {bypass} == 1"):
                source.line(f"return {port}, data, {DIGESTS}")
            self._egress_header(port)
            self._intrinsic.clear()
            self._gress("egress", "return None, None, digests")
            source.line(f"return {port}, data, {DIGESTS}")

    def _gress(self, name: str, drop: str) -> dict[str, str]:
        """Translate parser, control and deparser; `data` is the packet before and after."""
        source, generator = self._source, self._generator
        parser = self._blocks.parser(f"{name}_parser")
        control, deparser = self._blocks.control(name), self._blocks.control(f"{name}_deparser")
        user: list[Place] = []
        source.line("offset, end = 0, len(data)")
        packet, *parameters = parser.parameters
        generator.models[packet] = PacketIn("data", "offset", "end", "error", _PARTIAL_HEADER)
        for parameter in parameters:
            place = self._place(parameter, user)
            generator.places[parameter] = place
        for extern in parser.externs:
            model = generator.instances[parser.name, extern]
            if isinstance(model, Checksum):
                model.start(generator)
        parsers.translate(generator, parser, parsers.Errors("error", _NO_MATCH))
        if not blocks.reads(control, "parser_err", lambda kind: str(kind).endswith(_PARSERS_WORD)):
            source.line(f"if error: {drop}")
        self._control(control, user)
        source.line("out = []")
        generator.models[deparser.parameters[0]] = PacketOut("out")
        self._control(deparser, user, first=1)
        manager = self._fields(name)
        source.line(f"if {manager['drop_ctl']} & 1: {drop}")
        source.line("out.append(data[offset:])")
        source.line("data = b''.join(out)")
        return manager

    def _control(self, control: objects.Control, user: list[Place], first: int = 0) -> None:
        """Translate a control; its first two parameters from `first` are the program's own headers and metadata."""
        generator = self._generator
        own = list(user)
        for parameter in control.parameters[first:]:
            generator.places[parameter] = own.pop(0) if own else self._place(parameter, [])
        blocks.translate(generator, control)

    def _place(self, parameter: ir.Variable, user: list[Place]) -> Place:
        """Where a parameter is: intrinsic metadata exists once a gress, the program's own is made here."""
        kind = parameter.type
        if "_intrinsic_metadata_" not in str(kind):
            place = allocate(self._source, kind, parameter.name)
            self._generator.undefine(place)
            user.append(place)
            return place
        if kind not in self._intrinsic:
            place = allocate(self._source, kind, parameter.name)
            self._intrinsic[kind] = place
            self._start(kind, place)
        return self._intrinsic[kind]

    def _start(self, kind: Type, place: Place) -> None:
        """Intrinsic metadata before the program runs: requests are off, the port of the traffic manager undefined."""
        assert isinstance(place, Compound)
        if isinstance(kind, Header):
            self._generator.undefine(place)
            return
        assert isinstance(kind, Struct)
        for part in scalars(place):
            self._source.line(f"{part.code} = 0")
        if str(kind).endswith(_PARSERS_WORD):
            error = place.parts["parser_err"]
            assert isinstance(error, Scalar)
            self._source.line(f"{error.code} = error")
        if "ucast_egress_port" in place.parts:
            self._generator.undefine(place.parts["ucast_egress_port"])

    def _fields(self, gress: str) -> dict[str, str]:
        """The Python names of the requests of a gress; one that no block names has its initial value."""
        found = {"drop_ctl": "0", "ucast_egress_port": "None", "bypass_egress": "0"}
        for kind, place in self._intrinsic.items():
            if str(kind).startswith(f"{gress}_intrinsic_metadata_for_") and isinstance(place, Compound):
                found.update({name: part.code for name, part in place.parts.items() if isinstance(part, Scalar)})
        return found

    def _egress_header(self, port: str) -> None:
        """Put the intrinsic header of egress in front of the packet."""
        packet, *parameters = self._blocks.parser("egress_parser").parameters
        kind = next((p.type for p in parameters if str(p.type) == "egress_intrinsic_metadata_t"), None)
        if not isinstance(kind, Header):
            raise P4Error(packet.position, "the egress parser needs egress_intrinsic_metadata_t")
        rest, terms = kind.width, []
        for field in kind.fields:
            rest -= width(field.type)
            if field.name in {"egress_port", "pkt_length"}:
                terms.append(f"{port if field.name == 'egress_port' else 'length'} << {rest}")
        self._source.line(f"{self._generator.length} = len(data)")
        self._source.line(f"data = ({' | '.join(terms)}).to_bytes({kind.width // _BYTE}) + data")
