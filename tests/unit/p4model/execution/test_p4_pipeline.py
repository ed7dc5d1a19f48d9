"""The pipeline as a whole: traffic manager, egress, and a small complete program that rewrites TCP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4model.language.errors import P4Error
from p4model.program import Program, compile_program, compile_text
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from tests.unit.p4model.execution.tna_programs import PORT, data, run, started, tna

_EGRESS = """
    packet.extract(hdr.data); transition accept; }
"""


@pytest.mark.parametrize("target", ["1", "2"])
def test_egress_sees_the_packet_that_ingress_made(target: str) -> None:
    program = tna(
        target=target,
        bypass="0",
        body="hdr.data.a = 1; hdr.more.setValid(); hdr.more = {5, 6, 7, 8};",
        egress_states=_EGRESS,
        egress="hdr.data.b = hdr.data.a + 1; hdr.data.c = (bit<16>) eg_intr_md.egress_port; "
        "hdr.data.d = (bit<32>) eg_intr_md.pkt_length;",
    )
    pipeline, _ = started(program)
    result = pipeline.process(0, data(9, 9, 9, 9) + b"rest")
    assert result.outputs == [(PORT, data(1, 2, PORT, 8 + 8 + 4) + data(5, 6, 7, 8) + b"rest")]
    assert result.findings == []


def test_egress_can_drop() -> None:
    assert run(data(), bypass="0", egress="dprsr.drop_ctl = 1;").outputs == []
    assert run(data(), bypass="0", egress_states=_EGRESS, body="hdr.data.setInvalid();").outputs == []
    assert run(data(), bypass="1", egress="dprsr.drop_ctl = 1;").outputs == [(PORT, data())]


def test_exit_ends_the_control_and_not_the_packet() -> None:
    assert run(data(), body="if (hdr.data.a == 0) { exit; } hdr.data.a = 1;").outputs == [(PORT, data())]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("tm.mcast_grp_a = 1;", "mcast_grp_a of ingress_intrinsic_metadata_for_tm_t is not modelled"),
        ("tm.copy_to_cpu = 1;", "copy_to_cpu of ingress_intrinsic_metadata_for_tm_t is not modelled"),
        ("dprsr.mirror_type = 2;", "mirror_type of ingress_intrinsic_metadata_for_deparser_t is not modelled"),
        ("invalidate(hdr.data.a);", "invalidate is not modelled here; max and min of"),
    ],
)
def test_what_is_not_modelled_is_refused(body: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        tna(body=body)


def test_extern_objects_that_are_not_modelled_are_unknown() -> None:
    with pytest.raises(P4Error, match="type Meter is not declared"):
        tna(locals="Meter<bit<8>>(4, MeterType_t.BYTES) m;")


def test_blocks_must_fit_the_architecture() -> None:
    with pytest.raises(P4Error, match="hdr must be `inout` as in EgressT"):
        compile_text(_with(TCP_PROGRAM, "control Egress(inout none_t hdr", "control Egress(in none_t hdr"))
    with pytest.raises(P4Error, match="ingress: expected a control, which IngressParser is not"):
        compile_text(_with(TCP_PROGRAM, " Ingress(),", " IngressParser(),"))
    with pytest.raises(P4Error, match="EgressDeparser has fewer parameters than EgressDeparserT"):
        compile_text(_with(TCP_PROGRAM, "inout none_t hdr, in none_t meta)", "inout none_t hdr)"))


def _with(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


TCP_PROGRAM = """
#include <core.p4>
#include <tna.p4>

header ipv4_h {
    bit<16> lead; bit<16> total_length; bit<32> fragment; bit<8> ttl; bit<8> protocol; bit<16> checksum;
    bit<32> source; bit<32> destination;
}
header tcp_h {
    bit<16> source_port; bit<16> destination_port; bit<32> sequence; bit<32> acknowledgment;
    bit<4> data_offset; bit<4> reserved; bit<8> flags; bit<16> window; bit<16> checksum; bit<16> urgent_pointer;
}
struct headers_t { ipv4_h ipv4; tcp_h tcp; }
struct metadata_t { bit<16> residual; }
struct none_t { }

parser IngressParser(packet_in packet, out headers_t hdr, out metadata_t meta,
                     out ingress_intrinsic_metadata_t ig_intr_md) {
    Checksum() unchanged;
    state start {
        packet.extract(ig_intr_md);
        packet.advance(PORT_METADATA_SIZE);
        packet.extract(hdr.ipv4);
        packet.extract(hdr.tcp);
        unchanged.subtract({hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.checksum});
        unchanged.subtract({
            hdr.tcp.source_port, hdr.tcp.destination_port, hdr.tcp.sequence, hdr.tcp.acknowledgment
        });
        unchanged.subtract_all_and_deposit(meta.residual);
        transition accept;
    }
}

control Ingress(inout headers_t hdr, inout metadata_t meta, in ingress_intrinsic_metadata_t ig_intr_md,
                in ingress_intrinsic_metadata_from_parser_t ig_prsr_md,
                inout ingress_intrinsic_metadata_for_deparser_t ig_dprsr_md,
                inout ingress_intrinsic_metadata_for_tm_t ig_tm_md) {
    action forward(PortId_t port, bit<32> source, bit<32> destination, bit<16> source_port, bit<32> delta) {
        ig_tm_md.ucast_egress_port = port;
        ig_tm_md.bypass_egress = 1;
        hdr.ipv4.source = source;
        hdr.ipv4.destination = destination;
        hdr.tcp.source_port = source_port;
        hdr.tcp.sequence = hdr.tcp.sequence + delta;
        hdr.tcp.acknowledgment = hdr.tcp.acknowledgment - delta;
    }
    action discard() { ig_dprsr_md.drop_ctl = 1; }
    table connections {
        key = { hdr.ipv4.source : exact; hdr.tcp.source_port : exact; }
        actions = { forward; discard; }
        const default_action = discard();
    }
    apply { connections.apply(); }
}

control IngressDeparser(packet_out packet, inout headers_t hdr, in metadata_t meta) {
    Checksum() ipv4_sum;
    Checksum() tcp_sum;
    apply {
        hdr.ipv4.checksum = ipv4_sum.update({
            hdr.ipv4.lead, hdr.ipv4.total_length, hdr.ipv4.fragment, hdr.ipv4.ttl, hdr.ipv4.protocol,
            hdr.ipv4.source, hdr.ipv4.destination
        });
        hdr.tcp.checksum = tcp_sum.update({
            hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.source_port, hdr.tcp.destination_port,
            hdr.tcp.sequence, hdr.tcp.acknowledgment, meta.residual
        });
        packet.emit(hdr);
    }
}

parser EgressParser(packet_in packet, out none_t hdr, out none_t meta, out egress_intrinsic_metadata_t eg_intr_md) {
    state start { packet.extract(eg_intr_md); transition accept; }
}
control Egress(inout none_t hdr, inout none_t meta) { apply { } }
control EgressDeparser(packet_out packet, inout none_t hdr, in none_t meta) { apply { } }

Pipeline(IngressParser(), Ingress(), IngressDeparser(), EgressParser(), Egress(), EgressDeparser()) pipe;
Switch(pipe) main;
"""

_ENDPOINTS = st.builds(Endpoint, st.binary(min_size=4, max_size=4), st.integers(1, 0xFFFF))
_NUMBERS = st.integers(0, 0xFFFF_FFFF)


@cache
def forwarder() -> Program:
    """The TCP program."""
    return compile_text(TCP_PROGRAM, name="tcp.p4")


@settings(deadline=None, max_examples=100)
@given(_ENDPOINTS, _ENDPOINTS, _ENDPOINTS, _NUMBERS, _NUMBERS, _NUMBERS, st.binary(max_size=40))
def test_a_tcp_packet_is_rewritten_with_right_checksums(
    source: Endpoint,
    destination: Endpoint,
    other: Endpoint,
    sequence: int,
    acknowledgment: int,
    delta: int,
    payload: bytes,
) -> None:
    pipeline, state = started(forwarder())
    table = state.table("Ingress.connections")
    left, right = int.from_bytes(other.address), int.from_bytes(destination.address)
    table.insert((int.from_bytes(source.address), source.port), 0, (7, left, right, other.port, delta))
    segment = tcp.Segment(source, destination, sequence, acknowledgment, tcp.ACK, 100, Options(), payload)
    result = pipeline.process(1, tcp.build(segment))
    expected = tcp.Segment(
        other,
        destination,
        sequence + delta & 0xFFFF_FFFF,
        acknowledgment - delta & 0xFFFF_FFFF,
        tcp.ACK,
        100,
        Options(),
        payload,
    )
    assert result.outputs == [(7, tcp.build(expected))]
    assert result.findings == []
    table.delete((int.from_bytes(source.address), source.port))
    assert pipeline.process(1, tcp.build(segment)).outputs == []


def test_a_program_is_read_from_a_file_and_can_be_overlaid(tmp_path: Path) -> None:
    main, inner = tmp_path / "main.p4", tmp_path / "inner.p4"
    inner.write_text("#define SIZE 16")
    main.write_text(
        _with(TCP_PROGRAM, "const default_action = discard();", "size = SIZE; const default_action = discard();")
    )
    main.write_text('#include "inner.p4"\n' + main.read_text())

    def size(overlay: Mapping[Path, str] | None = None, defines: Mapping[str, str] | None = None) -> int:
        return compile_program(main, overlay=overlay, defines=defines).info.tables[0].size

    assert size() == 16
    assert size(overlay={inner: "#define SIZE 17"}) == 17
    assert size(overlay={inner: ""}, defines={"SIZE": "18"}) == 18
    with pytest.raises(P4Error, match=f"{main}:.*SIZE is not declared"):
        size(overlay={inner: ""})
