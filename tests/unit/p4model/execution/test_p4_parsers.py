from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from p4model.program import Result
from tests.unit.p4model.execution.tna_programs import PORT, data, run, sent, tna

_READS_ERROR = "if (prsr.parser_err != 0) { hdr.data.setValid(); hdr.data = {0xEE, prsr.parser_err[7:0], 0, 0}; }"
_CHOICE = """
    state first {
        packet.extract(hdr.data);
        transition select(hdr.data.a, hdr.data.c) {
            (1, _) : more;
            (2 &&& 0xFE, 5..7) : more;
            (_, 0xFFFF) : reject;
            (9, 9) : accept;
        }
    }
    state more { packet.extract(hdr.more); transition accept; }
"""


@pytest.mark.parametrize(
    ("a", "c", "extracted"),
    [(1, 0, True), (2, 5, True), (3, 7, True), (3, 8, None), (4, 6, None), (9, 9, False), (8, 0xFFFF, None)],
)
def test_the_first_case_that_matches_wins(a: int, c: int, *, extracted: bool | None) -> None:
    frame = data(a, 0, c) + data(7)
    result = run(frame, states=_CHOICE, body="if (hdr.more.isValid()) { hdr.more.a = 0xAA; }")
    if extracted is None:
        assert result.outputs == []
    else:
        assert result.outputs == [(PORT, data(a, 0, c) + data(0xAA if extracted else 7))]


def outcome(result: Result) -> bytes:
    ((_, left),) = result.outputs
    return left


@pytest.mark.parametrize(
    ("frame", "error"),
    [(data(8), 1), (data(1) + b"\1\2\3", 2), (b"\1\2", 2), (b"", 2)],
    ids=["no match", "more", "data", "empty"],
)
def test_a_parser_error_drops_unless_the_program_looks_at_it(frame: bytes, error: int) -> None:
    assert run(frame, states=_CHOICE).outputs == []
    assert outcome(run(frame, states=_CHOICE, body=_READS_ERROR))[:2] == bytes((0xEE, error))


def test_what_was_not_parsed_stays_behind_what_was() -> None:
    frame = data(1, 2, 3, 4) + b"\1\2\3"
    body = "if (prsr.parser_err == 2) { hdr.data.a = 9; }"
    assert sent(frame, states=_CHOICE, body=body) == data(9, 2, 3, 4) + b"\1\2\3"


def test_lookahead_leaves_the_packet() -> None:
    states = """
        state first {
            data_h ahead = packet.lookahead<data_h>();
            meta.m = ahead.c;
            meta.wide = packet.lookahead<bit<32>>();
            bit<4> nibble = packet.lookahead<bit<4>>();
            transition select(nibble) { 0xA : second; default : accept; }
        }
        state second { packet.advance(16); packet.extract(hdr.flags); packet.extract(hdr.data); transition accept; }
    """
    frame = bytes.fromhex("a1b2c3d4 0000000f 1122334455667788")
    body = "hdr.data.c = meta.m; hdr.data.d = meta.wide;"
    out = sent(frame, states=states, body=body)
    assert out[:8] == bytes.fromhex("0000 c3d4 a1b2c3d4")
    assert out[8:10] == bytes.fromhex("c3d4")


def test_a_parser_may_loop() -> None:
    states = """
        state first { packet.extract(hdr.data); transition select(hdr.data.a) { 0 : last; default : first; } }
        state last { packet.extract(hdr.more); transition accept; }
    """
    assert sent(data(2) + data(1) + data(0, 5) + data(6), states=states) == data(0, 5) + data(6)


def test_a_stack_can_be_extracted() -> None:
    states = "state first { packet.extract(hdr.stack[0]); packet.extract(hdr.stack[1]); transition accept; }"
    body = "hdr.stack[0].twelve = hdr.stack[1].twelve;"
    assert sent(bytes.fromhex("9abc1def"), states=states, body=body) == bytes.fromhex("9def1def")


@pytest.mark.parametrize("target", ["1", "2"])
def test_the_intrinsic_metadata_tells_the_port(target: str) -> None:
    assert sent(data(), target=target, body="hdr.data.c = (bit<16>) ig_intr_md.ingress_port;") == data(0, 0, 3, 0)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ("state first { packet.extract(meta); transition accept; }", "extract of metadata_t is not supported"),
        ("state first { packet.advance(4); transition accept; }", "advance has 4 bits, which is no whole number of"),
        ("state first { packet.extract(hdr.data); packet.advance(hdr.data.d); }", "advance is supported by constants"),
    ],
)
def test_what_is_not_supported(states: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        tna(states=states)
