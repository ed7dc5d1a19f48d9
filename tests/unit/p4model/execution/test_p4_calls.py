"""Calls: what arguments become of, in which order, and what `exit` leaves behind (P4_16 sections 6.8 and 8.2)."""

from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from tests.unit.p4model.execution.tna_programs import data, sent, tna

_NEXT = "bit<8> next(inout bit<8> value) { value = value + 1; return value; }"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("hdr.data.b = hdr.data.a + next(hdr.data.a);", data(6, 5 + 6)),
        ("hdr.data.b = next(hdr.data.a) + hdr.data.a;", data(6, 6 + 6)),
        ("if (hdr.data.a == next(hdr.data.a)) { hdr.data.b = 1; }", data(6)),
        ("pair_t p = {8w0 ++ hdr.data.a, next(hdr.data.a)}; hdr.data.c = p.x; hdr.data.b = p.y;", data(6, 6, 5)),
        ("hdr.data = {hdr.data.a, next(hdr.data.a), 7, 8};", data(5, 6, 7, 8)),
        ("hdr.data.b = next(hdr.data.c[11:4]);", data(5, 1, 0x0010)),
    ],
)
def test_operands_are_evaluated_from_left_to_right(body: str, expected: bytes) -> None:
    assert sent(data(5), declarations=_NEXT, body=body) == expected


def test_bits_of_bits_can_be_assigned() -> None:
    assert sent(data(c=0xFFFF), body="hdr.data.c[11:4][5:2][1:0] = 1;") == data(c=0xFF7F)


def test_exit_brings_parameters_back() -> None:
    local = "action leave(inout bit<8> value) { value = 9; if (hdr.data.b == 0) { exit; } value = 8; }"
    assert sent(data(5), locals=local, body="leave(hdr.data.a); hdr.data.c = 1;") == data(9)
    assert sent(data(5, 1), locals=local, body="leave(hdr.data.a); hdr.data.c = 1;") == data(8, 1, 1)


def test_exit_brings_parameters_of_all_calls_back() -> None:
    controls = "control Leave(inout bit<8> value) { apply { value = 9; exit; } }"
    inner = "control Outer(inout bit<8> first) { Leave() leave; apply { leave.apply(first); first = 7; } }"
    result = sent(data(5, 6), controls=controls + inner, locals="Outer() outer;", body="outer.apply(hdr.data.b);")
    assert result == data(5, 9)


def test_a_name_may_become_a_type_later() -> None:
    controls = """
        control First(inout bit<8> second) { apply { second = second + 1; } }
        control second(inout bit<8> value) { apply { value = value + 2; } }
    """
    local = "First() first; second() other;"
    assert sent(
        data(5), controls=controls, locals=local, body="first.apply(hdr.data.a); other.apply(hdr.data.a);"
    ) == data(8)


def test_extract_needs_a_header() -> None:
    with pytest.raises(P4Error, match="extract into _ is not supported; use advance"):
        tna(states="state first { packet.extract<data_h>(_); transition accept; }")


def test_entries_have_no_priorities_of_their_own() -> None:
    table = """
        action set() { }
        table t { key = { hdr.data.a : ternary; } actions = { set; } const entries = { 1 : set() @priority(3); } }
    """
    with pytest.raises(P4Error, match="@priority is not supported; the first entry that matches wins"):
        tna(locals=table, body="t.apply();")
