from __future__ import annotations

import pytest

from tests.unit.p4model.execution.tna_programs import data, sent

_FRAME = data(0xF0, 0x0F, 0x1234, 0x89ABCDEF)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("hdr.data.d + 0x80000000", 0x09ABCDEF),
        ("hdr.data.d - 0x90000000", 0xF9ABCDEF),
        ("hdr.data.d * 2", 0x13579BDE),
        ("-hdr.data.d", 0x76543211),
        ("~hdr.data.d", 0x76543210),
        ("hdr.data.d |+| 0x80000000", 0xFFFFFFFF),
        ("hdr.data.d |-| 0x90000000", 0),
        ("hdr.data.d |-| 1", 0x89ABCDEE),
        ("hdr.data.d & 0xFF | 0x100 ^ 1", 0x1EF),
        ("hdr.data.d << 4", 0x9ABCDEF0),
        ("hdr.data.d >> 28", 8),
        ("hdr.data.d << hdr.data.b", 0xE6F78000),
        ("hdr.data.d << hdr.data.a", 0),
        ("hdr.data.d >> hdr.data.a", 0),
        ("hdr.data.a ++ hdr.data.b ++ hdr.data.c", 0xF00F1234),
        ("hdr.data.d[15:8] ++ 24w7", 0xCD000007),
        ("(bit<32>) hdr.data.c", 0x1234),
        ("(bit<32>) (bit<4>) hdr.data.a", 0),
        ("(bit<32>) (bit<1>) (hdr.data.a == 0xF0)", 1),
        ("(bool) hdr.data.b[0:0] ? 32w1 : 2", 1),
        ("hdr.data.a > hdr.data.b && hdr.data.c != 0x1234 || hdr.data.b <= 0xF ? 32w1 : 2", 1),
        ("!(hdr.data.a >= 0xF1) && hdr.data.a < 0xF1 ? 32w1 : 2", 1),
        ("hdr.more.isValid() ? 32w1 : 2", 2),
        ("max(hdr.data.d, 0x90000000)", 0x90000000),
        ("min(hdr.data.d, 0x90000000)", 0x89ABCDEF),
        ("1 << 4 + (7 / 2 * 10 % 4)", 64),
        ("(bit<32>) kind_t.SECOND", 9),
        ("ONES[7:4] ++ 28w0", 0xF0000000),
        ("(8w250 |+| 10) ++ (8w5 |-| 10) ++ 16w3", 0xFF000003),
        ("(3 < 5 && 7 != 8) || false ? (bit<32>) (bit<1>) true : 2", 1),
        ("ONES == 255 && kind_t.FIRST == 3 && ONES >= 1 ? ~32w1 : 2", 0xFFFFFFFE),
        ("-32w1", 0xFFFFFFFF),
    ],
)
def test_values_have_their_width(expression: str, value: int) -> None:
    declarations = "enum bit<8> kind_t { FIRST = 3, SECOND = 9 } const bit<8> ONES = -1;"
    out = sent(_FRAME, declarations=declarations, body=f"hdr.data.d = {expression};")
    assert int.from_bytes(out[4:8]) == value


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("hdr.data.c[11:4] = hdr.data.a;", data(0xF0, 0x0F, 0x1F04, 0x89ABCDEF)),
        ("hdr.data = {1, 2, 3, 4};", data(1, 2, 3, 4)),
        ("hdr.data = {d = 1, c = 2, b = 3, a = 4};", data(4, 3, 2, 1)),
        ("hdr.more = hdr.data; hdr.data.a = 1;", data(1, 0x0F, 0x1234, 0x89ABCDEF) + _FRAME),
        ("meta.pair = {hdr.data.c, hdr.data.a}; hdr.data.b = meta.pair.y;", data(0xF0, 0xF0, 0x1234, 0x89ABCDEF)),
        ("hdr.data.setInvalid();", b""),
        ("hdr.data.setValid(); hdr.data.a = 0;", data(0, 0x0F, 0x1234, 0x89ABCDEF)),
        ("hdr.more.a = 1; hdr.data.a = 1;", data(1, 0x0F, 0x1234, 0x89ABCDEF)),
        ("hdr.flags.setValid(); hdr.flags = {1, 2, 0x345};", _FRAME + b"\xa3\x45"),
        ("hdr.stack[1].setValid(); hdr.stack[1] = {0, 7, 0};", _FRAME + b"\x70\x00"),
        ("if (hdr.data.a == 1) { hdr.data.a = 2; } else if (hdr.data.b == 0xF) hdr.data.a = 3; else { }", b"\x03"),
        ("switch (hdr.data.a) { 1: { } 2: 0xF0: { hdr.data.a = 9; } default: { hdr.data.a = 8; } }", b"\x09"),
        ("switch (hdr.data.a) { 1: { } default: { hdr.data.a = 8; } }", b"\x08"),
        ("bit<8> x = hdr.data.b; hdr.data.b = hdr.data.a; hdr.data.a = x;", b"\x0f\xf0"),
        ("const bit<8> X = 6; { bit<8> y = X; hdr.data.a = y + 1; }", b"\x07"),
        ("tuple<bit<8>, bit<16>> t = {5, 6}; hdr.data.a = t[0];", b"\x05"),
    ],
)
def test_statements(body: str, result: bytes) -> None:
    assert sent(_FRAME, body=body).startswith(result)


@pytest.mark.parametrize(
    ("local", "body", "first"),
    [
        (
            "action a(inout bit<8> x, in bit<8> y, out bit<8> z) { x = x + y; z = x; }",
            "a(hdr.data.a, 1, hdr.data.b);",
            0xF1,
        ),
        ("action a(inout bit<8> x) { x = 1; hdr.data.a = 2; }", "a(hdr.data.a);", 1),
        ("action a(in bit<8> x) { hdr.data.a = 2; hdr.data.b = x; hdr.data.a = hdr.data.b; }", "a(hdr.data.a);", 0xF0),
        ("action a() { hdr.data.a = 1; return; hdr.data.a = 2; }", "a();", 1),
        ("action a() { if (hdr.data.a == 0xF0) { hdr.data.a = 1; return; } hdr.data.a = 2; }", "a(); a();", 2),
        ("action a() { hdr.data.a = 1; exit; }", "a(); hdr.data.a = 2;", 1),
        ("", "hdr.data.a = double(double(1)) + 1;", 5),
        ("", "if (false && double(1) == 2) { hdr.data.a = 2; } else { hdr.data.a = 3; }", 3),
        ("", "hdr.data.a = hdr.data.b == 0xF || double(1) == 3 ? double(4) : double(5);", 8),
        ("Inner() one; Inner() two;", "one.apply(hdr, 1); two.apply(hdr, 2);", 0xF3),
        ("Swap() swap;", "swap.apply(hdr.data.a, hdr.data.b);", 0x0F),
        ("Swap() swap;", "swap.apply(hdr.data.a, hdr.data.a);", 0xF0),
        ("Returns() returns;", "returns.apply(hdr); hdr.data.a = hdr.data.a + 1;", 2),
    ],
)
def test_what_is_called(local: str, body: str, first: int) -> None:
    controls = """
        bit<8> double(in bit<8> x) { if (x == 0) { return 0; } return x + x; }
        control Inner(inout headers_t hdr, in bit<8> x) { apply { hdr.data.a = hdr.data.a + x; } }
        control Swap(inout bit<8> x, inout bit<8> y) { apply { bit<8> z = x; x = y; y = z; } }
        control Returns(inout headers_t hdr) {
            apply { hdr.data.a = 1; if (hdr.data.isValid()) { return; } hdr.data.a = 9; }
        }
    """
    assert sent(_FRAME, controls=controls, locals=local, body=body)[0] == first


def test_both_sides_of_a_logical_operator_happen_only_when_they_must() -> None:
    local = """
        action hit() { } table t { key = { hdr.data.a : exact; } actions = { hit; @defaultonly NoAction; }
                                   const entries = { 0xF0 : hit(); } }
        table u { key = { hdr.data.b : exact; } actions = { mark; } const default_action = mark(); }
    """
    marked = "action mark() { hdr.data.c = 1; }"
    body = "if (t.apply().miss && u.apply().miss) { hdr.data.d = 2; }"
    assert sent(_FRAME, locals=marked + local, body=body) == _FRAME
    assert sent(data(1), locals=marked + local, body=body) == data(1, 0, 1, 2)
