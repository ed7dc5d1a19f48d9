"""The extern objects and functions of v1model, but for checksums."""

from __future__ import annotations

import logging
import zlib

import pytest

from p4model.language.errors import P4Error
from p4model.objects import CounterInfo, Counts, DigestInfo, Field, RegisterInfo
from tests.unit.p4model.execution.tna_programs import PORT, data, started
from tests.unit.p4model.execution.v1model_programs import found, run, sent, v1model


def test_a_counter_counts_the_frame_as_it_arrived() -> None:
    program = v1model(
        locals="counter(10, CounterType.packets_and_bytes) c;",
        body="hdr.more = {1, 2, 3, 4}; c.count((bit<32>) hdr.data.a);",
    )
    assert program.info.counters == (CounterInfo("MyIngress.c", 10, Counts.PACKETS_AND_BYTES, 64),)
    pipeline, state = started(program)
    pipeline.process(0, data(9) + bytes(12))
    assert state.counter("MyIngress.c").read(9, from_hardware=True) == (1, 20)
    assert found(pipeline.process(0, data(10))) == ["index 10 is beyond the 10 of MyIngress.c"]


def test_indexes_have_types_since_2020() -> None:
    program = v1model(
        version="#define V1MODEL_VERSION 20200408",
        locals="counter<bit<8>>(10, CounterType.bytes) c; register<bit<16>, bit<8>>(4) r;",
        body="c.count(hdr.data.a); r.read(hdr.data.c, hdr.data.b); r.write(hdr.data.b, 7);",
    )
    assert program.info.counters == (CounterInfo("MyIngress.c", 10, Counts.BYTES, 64),)
    pipeline, _ = started(program)
    assert pipeline.process(0, data(1, 2, 9)).outputs == [(PORT, data(1, 2, 0))]
    assert pipeline.process(0, data(1, 2, 9)).outputs == [(PORT, data(1, 2, 7))]


@pytest.mark.parametrize("call", ["", "hits.count();"])
def test_a_direct_counter_counts_every_hit_and_no_miss(call: str) -> None:
    program = v1model(
        locals=f"""
            direct_counter(CounterType.packets_and_bytes) hits;
            action mark() {{ hdr.data.b = 1; {call} }}
            table t {{
                key = {{ hdr.data.a : exact; }} actions = {{ mark; NoAction; }}
                counters = hits; support_timeout = true; size = 4;
            }}
        """,
        body="t.apply();",
    )
    (table,) = program.info.tables
    assert (table.direct_counter, table.direct_counter_name) == (Counts.PACKETS_AND_BYTES, "MyIngress.hits")
    assert table.idle_timeout
    pipeline, state = started(program)
    record = state.table("MyIngress.t").insert((7,), 0, ())
    assert pipeline.process(0, data(7) + b"xyz").outputs == [(PORT, data(7, 1) + b"xyz")]
    assert pipeline.process(0, data(8)).outputs == [(PORT, data(8))]
    assert (record.packets, record.octets, record.hit) == (1, 11, True)


def test_a_register_is_read_and_written() -> None:
    program = v1model(
        locals="register<bit<16>>(4) r; bit<16> value;",
        body="""
            r.read(value, (bit<32>) hdr.data.a);
            r.write((bit<32>) hdr.data.a, value + 1);
            hdr.data.c = value;
        """,
    )
    assert program.info.registers == (RegisterInfo("MyIngress.r", 4, (Field("f1", 16),), (0,)),)
    pipeline, state = started(program)
    assert [pipeline.process(0, data(3)).outputs for _ in range(3)] == [[(PORT, data(3, 0, n))] for n in range(3)]
    assert state.register("MyIngress.r").read(3) == (3,)
    assert found(pipeline.process(0, data(4)))[0] == "index 4 is beyond the 4 of MyIngress.r"


def test_objects_of_inner_controls_have_their_path() -> None:
    program = v1model(
        declarations="""
            control Inner(inout data_h data) {
                counter(1, CounterType.packets) seen;
                action set() { data.a = 1; }
                table t { key = { data.a : exact; data.isValid() : exact; data.c[7:0] : lpm; } actions = { set; } }
                apply { seen.count(0); t.apply(); }
            }
        """,
        locals="Inner() first; Inner() second;",
        body="first.apply(hdr.data); second.apply(hdr.more);",
    )
    assert [counter.name for counter in program.info.counters] == ["MyIngress.first.seen", "MyIngress.second.seen"]
    assert [table.name for table in program.info.tables] == ["MyIngress.first.t", "MyIngress.second.t"]
    assert [key.name for key in program.info.tables[0].keys] == ["data.a", "data.$valid$", "data.c[7:0]"]
    assert [action.name for action in program.info.tables[1].actions] == ["MyIngress.second.set", "NoAction"]


_DIGEST = "if (hdr.data.a == 1) { digest<pair_t>(1, {hdr.data.c, hdr.data.b}); }"


def test_a_digest_has_the_values_of_its_call() -> None:
    program = v1model(body=f"{_DIGEST} hdr.data.c = 0; if (hdr.data.b == 2) {{ mark_to_drop(standard); }}")
    assert program.info.digests == (DigestInfo("pair_t", (Field("x", 16), Field("y", 8))),)
    pipeline, _ = started(program)
    assert pipeline.process(0, data(1, 7, 0x1234)).digests == [("pair_t", (0x1234, 7))]
    assert pipeline.process(0, data(0, 7, 0x1234)).digests == []
    dropped = pipeline.process(0, data(1, 2, 3))
    assert (dropped.outputs, dropped.digests) == ([], [("pair_t", (3, 2))])


def test_the_last_digest_of_a_packet_counts() -> None:
    result = run(
        data(1, 2, 3),
        declarations="struct other_t { bit<8> z; }",
        body=f"{_DIGEST} digest<other_t>(1, {{hdr.data.b}});",
    )
    assert result.digests == [("other_t", (2,))]


def test_digests_that_the_control_plane_could_not_tell_apart_are_refused() -> None:
    with pytest.raises(P4Error, match="a second call of digest with pair_t"):
        v1model(body=_DIGEST * 2)
    with pytest.raises(P4Error, match=r"a digest carries a struct, not a tuple<bit<8>>; use digest<NAME>\(\.\.\.\)"):
        v1model(body="digest(1, {hdr.data.a});")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("crc32", zlib.crc32(b"123456789")),
        ("crc16", 0xBB3D),
        ("identity", int.from_bytes(b"12345678")),
        ("csum16", 0xFFFF - (0x3132 + 0x3334 + 0x3536 + 0x3738 + 0x3900 - 0xFFFF)),
        ("xor16", 0x3132 ^ 0x3334 ^ 0x3536 ^ 0x3738 ^ 0x3900),
    ],
)
def test_hash_algorithms(algorithm: str, expected: int) -> None:
    body = f"""
        bit<64> result;
        hash(result, HashAlgorithm.{algorithm}, 64w0, {{hdr.data.a, hdr.data.b, hdr.data.c, hdr.data.d, 8w0x39}},
             65w0x10000000000000000);
        hdr.more = {{0, 0, 0, result[31:0]}};
        hdr.data.d = result[63:32];
    """
    left = sent(b"12345678", body=body)
    assert left[4:8] + left[12:16] == expected.to_bytes(8)


def test_a_hash_pads_its_data_behind() -> None:
    body = "hash(hdr.data.d, HashAlgorithm.crc32, 32w0, {hdr.data.a, hdr.data.b[3:0]}, 33w0x100000000);"
    assert sent(data(0x12, 0x34), body=body) == data(0x12, 0x34, 0, zlib.crc32(b"\x12\x40"))


@pytest.mark.parametrize(
    ("base", "end", "expected"),
    [(5, "8w10", 5 + 0x34 % 10), (5, "8w0", 5), (5, "hdr.data.a", 5), (250, "16w256", 250 + 0x34 - 256)],
)
def test_a_hash_lies_between_base_and_max(base: int, end: str, expected: int) -> None:
    body = f"hash(hdr.data.b, HashAlgorithm.identity, 8w{base}, {{hdr.data.b}}, {end});"
    assert sent(data(0, 0x34), body=body) == data(0, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("hash(meta.m, HashAlgorithm.crc32_custom, 16w0, {hdr.data.a}, 16w9);", r"HashAlgorithm.crc32_custom is not"),
        ("hash(meta.m, HashAlgorithm.crc16, 16w0, {hdr.data.a, 0}, 16w9);", "write the width of this number"),
        ("hash(hdr.more, HashAlgorithm.crc16, 16w0, {hdr.data.a}, 16w9);", "a hash cannot be a data_h"),
    ],
)
def test_hashes_that_are_refused(call: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        v1model(body=call)


@pytest.mark.parametrize("function", ["assert", "assume"])
def test_a_check_that_fails_is_found(function: str) -> None:
    body = f"{function}(hdr.data.a == 1);"
    assert run(data(1), body=body).findings == []
    assert found(run(data(2), body=body)) == [f"this {function} failed"]


def test_messages_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="p4model"):
        sent(data(1, 2), body='log_msg("{0}% is {}, b is {}", {hdr.data.a, hdr.data.b}); log_msg("done");')
    messages = [record.message.partition(": ")[2] for record in caplog.records]
    assert messages == ["{0}% is 1, b is 2", "done"]
    with pytest.raises(P4Error, match=r"the message has 1 \{\}, for 2 values"):
        v1model(body='log_msg("a is {}", {hdr.data.a, hdr.data.b});')


@pytest.mark.parametrize("algorithm", ["crc16", "csum16"])
def test_a_hash_of_a_header_that_is_not_valid_is_found(algorithm: str) -> None:
    result = run(data(), body=f"hash(hdr.data.c, HashAlgorithm.{algorithm}, 16w0, {{hdr.more.c}}, 17w0x10000);")
    assert found(result) == ["read of hdr.more.c, whose header is not valid"]
