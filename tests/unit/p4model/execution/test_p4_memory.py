"""Counters, registers and digests."""

from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from p4model.objects import CounterInfo, Counts, DigestInfo, Field, RegisterInfo
from tests.unit.p4model.execution.tna_programs import PORT, data, run, started, tna

_COUNTER = "Counter<bit<40>, bit<8>>(10, CounterType_t.PACKETS_AND_BYTES) c;"


def test_a_counter_counts_the_frame_as_it_arrived() -> None:
    program = tna(locals=_COUNTER, body="c.count(hdr.data.a); hdr.data.setInvalid();")
    assert program.info.counters == (CounterInfo("Ingress.c", 10, Counts.PACKETS_AND_BYTES, 40),)
    pipeline, state = started(program)
    pipeline.process(0, data(9) + bytes(12))
    assert state.counter("Ingress.c").read(9, from_hardware=True) == (1, 20)


def test_an_index_beyond_the_end_is_a_finding() -> None:
    result = run(data(10), locals=_COUNTER, body="c.count(hdr.data.a);")
    assert [finding.partition(": ")[2] for finding in result.findings] == ["index 10 is beyond the 10 of Ingress.c"]
    local = """
        Register<bit<16>, bit<8>>(4, 3) r;
        RegisterAction<bit<16>, bit<8>, bit<16>>(r) next = { void apply(inout bit<16> v, out bit<16> x) { x = v; } };
    """
    result = run(data(4, 0, 9), locals=local, body="hdr.data.c = next.execute(hdr.data.a);")
    assert [finding.partition(": ")[2] for finding in result.findings] == ["index 4 is beyond the 4 of Ingress.r"]
    assert result.outputs == [(PORT, data(4, 0, 0))]


def test_a_register_action_reads_and_writes_at_once() -> None:
    local = """
        Register<bit<16>, bit<8>>(4, 0xFFFE) r;
        RegisterAction<bit<16>, bit<8>, bit<16>>(r) next = {
            void apply(inout bit<16> value, out bit<16> before) {
                before = value;
                if (hdr.data.b == 0) { value = value + 1; } else { value = value |+| 1; }
            }
        };
        RegisterAction<bit<16>, bit<8>, bit<16>>(r) clear = { void apply(inout bit<16> value) { value = 0; } };
        action advance() { hdr.data.c = next.execute(hdr.data.a); }
    """
    program = tna(locals=local, body="if (hdr.data.b == 2) { clear.execute(hdr.data.a); } else { advance(); }")
    assert program.info.registers == (RegisterInfo("Ingress.r", 4, (Field("f1", 16),), (0xFFFE,)),)
    pipeline, state = started(program)

    def before(a: int, b: int) -> int:
        ((_, left),) = pipeline.process(0, data(a, b)).outputs
        return int.from_bytes(left[2:4])

    assert [before(3, 0), before(3, 1), before(3, 1), before(3, 0), before(3, 0)] == [0xFFFE, *[0xFFFF] * 3, 0]
    assert before(2, 0) == 0xFFFE
    pipeline.process(0, data(3, 2))
    assert state.register("Ingress.r").read(3) == (0,)
    assert state.register("Ingress.r").read(2) == (0xFFFF,)


def test_a_register_may_hold_a_struct() -> None:
    local = """
        Register<pair_t, bit<8>>(4, {1, 2}) r;
        RegisterAction<pair_t, bit<8>, bit<8>>(r) swap = {
            void apply(inout pair_t value, out bit<8> sum) {
                sum = value.x[7:0] + value.y; value.x = (bit<16>) value.y; value.y = hdr.data.b;
            }
        };
    """
    program = tna(locals=local, body="hdr.data.b = swap.execute(0);")
    assert program.info.registers == (RegisterInfo("Ingress.r", 4, (Field("x", 16), Field("y", 8)), (1, 2)),)
    pipeline, state = started(program)
    assert pipeline.process(0, data(0, 7)).outputs == [(PORT, data(0, 3))]
    assert state.register("Ingress.r").read(0) == (2, 7)


def test_a_register_can_be_read_and_written() -> None:
    local = "Register<bit<16>, bit<8>>(4) r;"
    pipeline, state = started(tna(locals=local, body="hdr.data.c = r.read(1); r.write(1, 16w5);"))
    assert pipeline.process(0, data()).outputs == [(PORT, data())]
    assert pipeline.process(0, data()).outputs == [(PORT, data(0, 0, 5))]
    assert state.register("Ingress.r").read(1) == (5,)


_DIGEST = "Digest<pair_t>(1) learned;"
_PACK = "if (dprsr.digest_type == 1) { learned.pack({hdr.data.c, hdr.data.a}); }"


def test_a_digest_is_reported_when_the_program_asks_for_it() -> None:
    body = "if (hdr.data.a == 1) { dprsr.digest_type = 1; } else { dprsr.drop_ctl = hdr.data.b[2:0]; }"
    program = tna(deparser_locals=_DIGEST, body=body, deparser=_PACK)
    assert program.info.digests == (DigestInfo("IngressDeparser.learned", (Field("x", 16), Field("y", 8))),)
    pipeline, _ = started(program)
    result = pipeline.process(0, data(1, 0, 0x1234))
    assert result.digests == [("IngressDeparser.learned", (0x1234, 1))]
    assert len(result.outputs) == 1
    assert pipeline.process(0, data(2)).digests == []


def test_a_dropped_packet_may_have_a_digest() -> None:
    result = run(data(), deparser_locals=_DIGEST, body="dprsr.digest_type = 1; dprsr.drop_ctl = 1;", deparser=_PACK)
    assert result.outputs == []
    assert len(result.digests) == 1


def test_a_digest_reads_its_members() -> None:
    body = "dprsr.digest_type = 1; hdr.data.setInvalid();"
    result = run(data(), deparser_locals=_DIGEST, body=body, deparser=_PACK)
    assert len(result.findings) == 2
    assert result.digests == [("IngressDeparser.learned", (0, 0))]


@pytest.mark.parametrize(
    ("local", "body", "message"),
    [
        (_COUNTER, "c.count(1, 4);", "adjust_byte_count is not supported"),
        ("Counter<bit<40>, bit<8>>(0, CounterType_t.BYTES) c;", "", "the size of c must be a positive constant"),
        (
            "Register<bit<8>, bit<8>>(4) r;"
            "RegisterAction<bit<8>, bit<8>, bit<8>>(r) a = { void apply(in bit<8> v) { } };",
            "",
            "expected `inout bit<8> v`",
        ),
        (
            "Register<bit<8>, bit<8>>(4) r;"
            "RegisterAction<bit<8>, bit<8>, bit<8>>(r) a = { void apply(inout bit<8> v, out bit<16> x) { } };",
            "",
            "expected `out bit<8> x`",
        ),
        ("Digest<bit<8>>(1) d;", "", "a Digest carries a struct, not a bit<8>"),
    ],
)
def test_what_is_refused(local: str, body: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        tna(locals=local, body=body)
