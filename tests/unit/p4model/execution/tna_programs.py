"""Small TNA programs from fragments, and what they do with a frame."""

from __future__ import annotations

from p4model.program import Pipeline, Program, Result, compile_text
from p4model.state import DeviceState

PORT = 5
_PROGRAM = """\
#include <core.p4>
#if __TARGET_TOFINO__ == 2
#include <t2na.p4>
#else
#include <tna.p4>
#endif
header data_h {{ bit<8> a; bit<8> b; bit<16> c; bit<32> d; }}
header flags_h {{ bit<1> one; bit<3> three; bit<12> twelve; }}
{declarations}
struct headers_t {{ data_h data; data_h more; flags_h flags; flags_h[2] stack; {headers} }}
struct pair_t {{ bit<16> x; bit<8> y; }}
struct metadata_t {{ bit<16> m; bit<32> wide; bool truth; pair_t pair; }}
{controls}
parser IngressParser(packet_in packet, out headers_t hdr, out metadata_t meta,
                     out ingress_intrinsic_metadata_t ig_intr_md) {{
    {parser_locals}
    state start {{
        packet.extract(ig_intr_md);
        packet.advance(PORT_METADATA_SIZE);
        transition first;
    }}
    {states}
}}
control Ingress(inout headers_t hdr, inout metadata_t meta, in ingress_intrinsic_metadata_t ig_intr_md,
                in ingress_intrinsic_metadata_from_parser_t prsr,
                inout ingress_intrinsic_metadata_for_deparser_t dprsr,
                inout ingress_intrinsic_metadata_for_tm_t tm) {{
    {locals}
    apply {{
        tm.ucast_egress_port = {port};
        tm.bypass_egress = {bypass};
        {body}
    }}
}}
control IngressDeparser(packet_out packet, inout headers_t hdr, in metadata_t meta,
                        in ingress_intrinsic_metadata_for_deparser_t dprsr) {{
    {deparser_locals}
    apply {{
        {deparser}
        packet.emit(hdr);
    }}
}}
parser EgressParser(packet_in packet, out headers_t hdr, out metadata_t meta,
                    out egress_intrinsic_metadata_t eg_intr_md) {{
    state start {{ packet.extract(eg_intr_md); {egress_states}
}}
control Egress(inout headers_t hdr, inout metadata_t meta, in egress_intrinsic_metadata_t eg_intr_md,
               in egress_intrinsic_metadata_from_parser_t prsr,
               inout egress_intrinsic_metadata_for_deparser_t dprsr,
               inout egress_intrinsic_metadata_for_output_port_t oport) {{
    apply {{ {egress} }}
}}
control EgressDeparser(packet_out packet, inout headers_t hdr, in metadata_t meta,
                       in egress_intrinsic_metadata_for_deparser_t dprsr) {{
    apply {{ packet.emit(hdr); }}
}}
Pipeline(IngressParser(), Ingress(), IngressDeparser(), EgressParser(), Egress(), EgressDeparser()) pipe;
Switch(pipe) main;
"""
_FRAGMENTS = {
    "declarations": "",
    "headers": "",
    "controls": "",
    "parser_locals": "",
    "states": "state first { packet.extract(hdr.data); transition accept; }",
    "locals": "",
    "port": str(PORT),
    "bypass": "1",
    "body": "",
    "deparser_locals": "",
    "deparser": "",
    "egress_states": "transition accept; }",
    "egress": "",
}


def tna(*, target: str = "1", **fragments: str) -> Program:
    """A program that extracts `hdr.data` (a, b, c, d of 8, 8, 16, 32 bits) and sends to PORT, with fragments."""
    unknown = set(fragments) - set(_FRAGMENTS)
    if unknown:
        raise ValueError(f"no fragments {unknown}")
    text = _PROGRAM.format(**{**_FRAGMENTS, **fragments})
    return compile_text(text, name="t.p4", defines={"__TARGET_TOFINO__": target})


def line_of(program_fragment: str, **fragments: str) -> int:
    """The line of the program on which a piece of a fragment stands."""
    text = _PROGRAM.format(**{**_FRAGMENTS, **fragments})
    return text[: text.index(program_fragment)].count("\n") + 1


def started(program: Program) -> tuple[Pipeline, DeviceState]:
    """A program on a fresh state, and that state."""
    state = DeviceState(program.info)
    return program.pipeline(state), state


def data(a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    """A `data_h`."""
    return bytes((a, b)) + c.to_bytes(2) + d.to_bytes(4)


def run(frame: bytes, **fragments: str) -> Result:
    """What a program of fragments does with a frame from port 3."""
    pipeline, _ = started(tna(**fragments))
    return pipeline.process(3, frame)


def sent(frame: bytes, **fragments: str) -> bytes:
    """The frame that a program of fragments sends to PORT, without findings."""
    return only(run(frame, **fragments))


def only(result: Result) -> bytes:
    """The one frame of a result, which has no findings; it leaves by PORT."""
    assert result.findings == []
    ((port, left),) = result.outputs
    assert port == PORT
    return left
