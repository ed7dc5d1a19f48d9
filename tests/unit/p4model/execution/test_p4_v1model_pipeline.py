"""The pipeline of v1model: what metadata says, what drops, what goes on after a parser error, what is refused."""

from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from p4model.program import Architecture, compile_text
from tests.unit.p4model.execution.tna_programs import PORT, data, started, tna
from tests.unit.p4model.execution.v1model_programs import found, run, sent, text, v1model


def test_main_tells_the_architecture() -> None:
    assert v1model().architecture is Architecture.V1MODEL
    assert tna().architecture is Architecture.TNA


def test_a_frame_is_forwarded_by_a_table() -> None:
    program = v1model(
        locals="""
            action forward(bit<9> port, bit<8> value) { standard.egress_spec = port; hdr.data.b = value; }
            action drop() { mark_to_drop(standard); }
            table routes { key = { hdr.data.a : exact; } actions = { forward; drop; } default_action = drop(); }
        """,
        port="",
        body="routes.apply();",
    )
    pipeline, state = started(program)
    state.table("MyIngress.routes").insert((7,), 0, (17, 9))
    assert pipeline.process(0, data(7) + b"rest").outputs == [(17, data(7, 9) + b"rest")]
    assert pipeline.process(0, data(8)).outputs == []


def test_ingress_is_told_of_the_frame() -> None:
    body = """
        hdr.data.a = standard.ingress_port[7:0];
        hdr.data.c = standard.packet_length[15:0];
        hdr.data.d = standard.instance_type;
        if (standard.parser_error == error.NoError) { hdr.data.b = 7 + (bit<8>) standard.checksum_error; }
    """
    assert sent(data(1, 2, 3, 4) + bytes(6), body=body) == data(3, 7, 14) + bytes(6)


def test_who_asks_for_no_port_sends_to_port_0() -> None:
    assert run(data(1), port="").outputs == [(0, data(1))]


@pytest.mark.parametrize(("ingress", "egress"), [(1, 0), (0, 1)])
def test_both_controls_can_drop(ingress: int, egress: int) -> None:
    result = run(
        data(ingress, egress),
        body="if (hdr.data.a == 1) { mark_to_drop(standard); }",
        egress="if (hdr.data.b == 1) { mark_to_drop(standard); }",
    )
    assert (result.outputs, result.findings) == ([], [])


def test_a_port_that_is_set_after_mark_to_drop_counts() -> None:
    assert sent(data(1), port=f"mark_to_drop(standard); standard.egress_spec = {PORT};") == data(1)
    assert run(data(1), body="standard.egress_spec = 511;").outputs == []


def test_egress_goes_on_with_headers_and_metadata() -> None:
    result = sent(
        data(1, 0, 0, 0),
        body="meta.m = 0x1234; hdr.data.b = 5;",
        egress="""
            hdr.data.c = meta.m; hdr.data.a = standard.egress_port[7:0]; hdr.data.d = (bit<32>) standard.egress_spec;
        """,
    )
    assert result == data(PORT, 5, 0x1234, 0)


def test_egress_cannot_change_the_port() -> None:
    assert sent(data(1), egress="standard.egress_spec = 9; standard.egress_port = 9;") == data(1)


def test_egress_is_told_the_length_of_what_ingress_made() -> None:
    egress = "hdr.data.c = standard.packet_length[15:0];"
    left = sent(data() + b"12345", body="hdr.flags = {0, 0, 5};", egress=egress)
    assert left == data(c=15) + b"\0\5" + b"12345"
    left = sent(
        data() + data(c=9) + b"12345",
        states="state start { packet.extract(hdr.data); packet.extract(hdr.more); transition accept; }",
        body="hdr.more.setInvalid();",
        egress=egress,
    )
    assert left == data(c=13) + b"12345"


def test_exit_ends_a_control_and_not_the_packet() -> None:
    left = sent(data(), body="if (hdr.data.a == 0) { exit; } hdr.data.a = 1;", egress="hdr.data.b = 2; exit;")
    assert left == data(0, 2)


def test_a_short_frame_goes_on_with_an_error() -> None:
    states = "state start { packet.extract(hdr.data); packet.extract(hdr.more); transition accept; }"
    body = "if (standard.parser_error == error.PacketTooShort && !hdr.more.isValid()) { hdr.data.a = 1; }"
    assert sent(data() + b"short", states=states, body=body) == data(1) + b"short"
    assert sent(data() + data(), states=states, body=body) == data() + data()


def test_the_program_has_errors_of_its_own() -> None:
    result = sent(
        data(1, 2) + data(3),
        declarations="error { TooFew, TooMany }",
        states="""
            state start {
                packet.extract(hdr.data);
                verify(hdr.data.a == 0, error.TooMany);
                packet.extract(hdr.more);
                transition accept;
            }
        """,
        body="""
            if (standard.parser_error == error.TooMany) { hdr.data.b = 9; }
            if (standard.parser_error == error.TooFew) { hdr.data.b = 8; }
        """,
    )
    assert result == data(1, 9) + data(3)


def test_what_no_case_matches_is_accepted_and_found() -> None:
    states = """
        state start { packet.extract(hdr.data); transition select(hdr.data.a) { 1 : second; } }
        state second { packet.extract(hdr.more); transition accept; }
    """
    result = run(data(2), states=states, body="hdr.data.b = standard.parser_error == error.NoError ? 8w1 : 0;")
    assert result.outputs == [(PORT, data(2, 1))]
    assert found(result) == ["no case of this select matches"]


def test_metadata_of_the_program_is_not_defined_and_passes_as_zero() -> None:
    result = run(data(1, 2, 3), body="hdr.data.c = meta.m + 1;")
    assert result.outputs == [(PORT, data(1, 2, 1))]
    assert found(result) == ["read of meta.m, which has no value yet"]


@pytest.mark.parametrize("field", ["egress_port", "deq_qdepth", "egress_global_timestamp"])
def test_what_egress_alone_knows_is_not_defined_in_ingress(field: str) -> None:
    read = f"if (standard.{field} == 1) {{ hdr.data.a = 1; }}"
    assert found(run(data(), body=read)) == [f"read of standard.{field}, which has no value yet"]
    assert run(data(), egress=read).findings == []


def test_a_port_without_a_value_is_found() -> None:
    result = run(data(), port="standard.egress_spec = meta.port;")
    assert result.outputs == [(0, data())]
    assert found(result) == ["read of meta.port, which has no value yet"]


def test_metadata_starts_afresh_with_each_frame() -> None:
    pipeline, _ = started(
        v1model(body="if (hdr.data.a == 1) { meta.m = 5; } hdr.data.c = meta.m;", egress="meta.m = 1;")
    )
    assert pipeline.process(0, data(1)).outputs == [(PORT, data(1, 0, 5))]
    second = pipeline.process(0, data(0))
    assert found(second) == ["read of meta.m, which has no value yet"]
    assert second.outputs == [(PORT, data())]


@pytest.mark.parametrize(
    ("fragments", "message"),
    [
        ({"body": "standard.mcast_grp = 1;"}, "mcast_grp of standard_metadata_t is not modelled"),
        ({"egress": "standard.priority = 1;"}, "priority of standard_metadata_t is not modelled"),
        ({"body": "clone(CloneType.I2E, 5);"}, "clone is not modelled; assert, assume, digest, "),
        ({"body": "random(meta.m, 16w0, 16w9);"}, "random is not modelled"),
        ({"egress": "truncate(14);"}, "truncate is not modelled"),
        ({"egress": "recirculate_preserving_field_list(1);"}, "recirculate_preserving_field_list is not modelled"),
        ({"locals": "meter(4, MeterType.bytes) m;"}, "meter is not modelled; counter, direct_counter, register are"),
        ({"locals": "Checksum16() c;"}, "Checksum16 is not modelled"),
        (
            {"states": "state start { transition reject; }"},
            "bmv2 has no transition to reject; use verify",
        ),
        (
            {"states": "state start { packet.extract(hdr.data); mark_to_drop(standard); transition accept; }"},
            "mark_to_drop cannot be called in this block of V1Switch",
        ),
        ({"verify": "hdr.data.a = 1;"}, "only calls of verify_checksum and verify_checksum_with_payload are allowed"),
        ({"compute": "if (hdr.data.isValid()) { }"}, "only calls of update_checksum and update_checksum_with_payload"),
        ({"deparser": "packet.emit(hdr.data); return;"}, "only calls of emit are allowed here"),
        ({"body": "verify(true, error.NoMatch);"}, "verify cannot be called in this block"),
        ({"egress": "digest<pair_t>(1, {1, 2});"}, "digest cannot be called in this block"),
        (
            {"locals": "table t { actions = { NoAction; } idle_timeout = true; }", "body": "t.apply();"},
            "table property idle_timeout is not supported here; support_timeout is",
        ),
        (
            {
                "locals": "direct_meter<bit<2>>(MeterType.bytes) m; table t { actions = { NoAction; } meters = m; }",
                "body": "t.apply();",
            },
            "table property meters is not supported",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_where_it_stands(fragments: dict[str, str], message: str) -> None:
    with pytest.raises(P4Error, match=message) as raised:
        v1model(**fragments)
    fragment = next(iter(fragments.values()))
    lines = text(**fragments).split("\n")
    assert raised.value.position.file == "v.p4"
    assert fragment.split("\n")[0].strip() in lines[raised.value.position.line - 1]


def test_support_timeout_is_for_v1model() -> None:
    with pytest.raises(P4Error, match="table property support_timeout is not supported here; idle_timeout is"):
        tna(locals="table t { actions = { NoAction; } support_timeout = true; }", body="t.apply();")


def test_a_control_cannot_have_the_name_of_a_block_type() -> None:
    with pytest.raises(P4Error, match="type Ingress is declared already"):
        compile_text(text().replace("MyIngress", "Ingress"))


def test_blocks_must_agree_on_headers_and_metadata() -> None:
    with pytest.raises(P4Error, match="hdr: expected headers_t, not pair_t"):
        compile_text(
            text().replace("MyDeparser(packet_out packet, in headers_t", "MyDeparser(packet_out packet, in pair_t")
        )


def test_another_package_is_refused() -> None:
    with pytest.raises(P4Error, match="main is a Half; Switch and V1Switch are supported"):
        compile_text(
            "#include <core.p4>\nparser P(packet_in b);\npackage Half(P p);\n"
            "parser Mine(packet_in b) { state start { transition accept; } }\nHalf(Mine()) main;"
        )
