"""Small v1model programs from fragments, and what they do with a frame."""

from __future__ import annotations

from p4model.program import Program, Result, compile_text
from tests.unit.p4model.execution.tna_programs import PORT, only, started

_PROGRAM = """\
{version}
#include <core.p4>
#include <v1model.p4>
header data_h {{ bit<8> a; bit<8> b; bit<16> c; bit<32> d; }}
header flags_h {{ bit<1> one; bit<3> three; bit<12> twelve; }}
struct pair_t {{ bit<16> x; bit<8> y; }}
struct headers_t {{ data_h data; data_h more; flags_h flags; }}
struct metadata_t {{ bit<16> m; bit<32> wide; bit<9> port; }}
{declarations}
parser MyParser(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {{
    {states}
}}
control Verify(inout headers_t hdr, inout metadata_t meta) {{
    apply {{ {verify} }}
}}
control MyIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {{
    {locals}
    apply {{
        {port}
        {body}
    }}
}}
control MyEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {{
    apply {{ {egress} }}
}}
control Compute(inout headers_t hdr, inout metadata_t meta) {{
    apply {{ {compute} }}
}}
control MyDeparser(packet_out packet, in headers_t hdr) {{
    apply {{ {deparser} }}
}}
V1Switch(MyParser(), Verify(), MyIngress(), MyEgress(), Compute(), MyDeparser()) main;
"""
_FRAGMENTS = {
    "version": "",
    "declarations": "",
    "states": "state start { packet.extract(hdr.data); transition accept; }",
    "verify": "",
    "locals": "",
    "port": f"standard.egress_spec = {PORT};",
    "body": "",
    "egress": "",
    "compute": "",
    "deparser": "packet.emit(hdr);",
}


def text(**fragments: str) -> str:
    """The text of a program that extracts `hdr.data` (a, b, c, d of 8, 8, 16, 32 bits) and sends to PORT."""
    unknown = set(fragments) - set(_FRAGMENTS)
    if unknown:
        raise ValueError(f"no fragments {unknown}")
    return _PROGRAM.format(**{**_FRAGMENTS, **fragments})


def v1model(**fragments: str) -> Program:
    """That program."""
    return compile_text(text(**fragments), name="v.p4")


def run(frame: bytes, **fragments: str) -> Result:
    """What a program of fragments does with a frame from port 3."""
    pipeline, _ = started(v1model(**fragments))
    return pipeline.process(3, frame)


def sent(frame: bytes, **fragments: str) -> bytes:
    """The frame that a program of fragments sends to PORT, without findings."""
    return only(run(frame, **fragments))


def found(result: Result) -> list[str]:
    """What the findings of a result say, without their places."""
    return [finding.partition(": ")[2] for finding in result.findings]
