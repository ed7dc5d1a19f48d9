"""What the checker accepts, and the exact words with which it refuses the rest."""

from __future__ import annotations

import pytest

from tests.unit.p4model.language.p4_sources import refusal

_LINE = 7


def in_control(body: str, local: str = "") -> str:
    """A program with a control whose body is on line 7, from column 1 on."""
    return f"""\
#include <tna.p4>
header data_h {{ bit<8> a; bit<8> b; bit<16> c; }} struct pair_t {{ bit<8> x; bit<16> y; }} enum color_t {{ RED, BLUE }}
enum bit<8> kind_t {{ FIRST = 1 }} type bit<9> port_t; struct headers_t {{ data_h data; data_h[2] stack; }}
control C(inout headers_t hdr, inout bit<16> m, in bit<16> given, inout bool truth, inout pair_t pair) {{
action set(bit<16> value) {{ m = value; }} bit<8> local; color_t color; kind_t kind; port_t port; {local}
apply {{
{body}
}} }}
"""


@pytest.mark.parametrize(
    ("statement", "column", "message"),
    [
        ("m = hdr.data.a;", 5, "expected bit<16>, not bit<8>"),
        ("m = 65536;", 5, "65536 does not fit in bit<16>"),
        ("m = truth;", 5, "expected bit<16>, not bool"),
        ("m = hdr.data.a ++ hdr.data.c;", 5, "expected bit<16>, not bit<24>"),
        ("m = hdr.data.a + m;", 5, "+ cannot be applied to bit<8> and bit<16>"),
        ("m = m + 70000;", 9, "70000 does not fit in bit<16>"),
        ("m = m / m;", 5, "/ is supported between constants only"),
        ("m = 1 << m;", 5, "<< of a number without width needs a constant; write its width"),
        ("m = m << -1;", 5, "<< cannot be applied to bit<16> and a negative number"),
        ("m = hdr.data;", 5, "expected bit<16>, not data_h"),
        ("m = m[16:1];", 5, "[16:1] is not within bit<16>; bits are [15:0]"),
        ("m[7:0] = given;", 10, "expected bit<8>, not bit<16>"),
        ("given = m;", 1, "given is an `in` parameter, which cannot be assigned to"),
        ("5 = m;", 1, "'5' is not expected here"),
        ("m = nothing;", 5, "nothing is not declared"),
        ("m = set;", 5, "set is no value"),
        ("m = hdr.data.z;", 5, "data_h has no field z"),
        ("m = hdr.stack.next.c;", 5, ".next of a header stack is not supported; constant indexes are"),
        ("m = hdr.stack[2].c;", 5, "index 2 is not within data_h[2]"),
        ("m = (bit<16>) truth;", 15, "bool cannot be cast to bit<16>"),
        ("local = (bit<8>) pair;", 18, "pair_t cannot be cast to bit<8>"),
        ("port = m[8:0];", 8, "expected port_t, not bit<9>"),
        ("kind = 1;", 8, "expected kind_t, not int"),
        ("color = color_t.GREEN;", 9, "color_t has no member GREEN"),
        ("color = kind_t.FIRST;", 9, "expected color_t, not kind_t"),
        ("truth = color == kind;", 9, "== cannot be applied to color_t and kind_t"),
        ("truth = pair == pair;", 9, "== cannot be applied to pair_t and pair_t"),
        ("truth = truth < truth;", 9, "< cannot be applied to bool and bool"),
        ("truth = m && truth;", 9, "&& cannot be applied to bit<16> and bool"),
        ("truth = !m;", 9, "! cannot be applied to bit<16>"),
        ("m = truth ? 1 : 2;", 5, "write the width of at least one of the two numbers"),
        ("m = given ? m : m;", 5, "expected bool, not bit<16>"),
        ("pair = {1};", 8, "expected pair_t of 2 elements, not 1"),
        ("pair = {1, 70000};", 12, "70000 does not fit in bit<16>"),
        ("pair = {x = 1, z = 2};", 8, "pair_t has the fields x, y, not x, z"),
        ("if (m) { }", 5, "expected bool, not bit<16>"),
        ("hdr.data.isValid(1);", 1, "isValid takes no arguments"),
        ("hdr.data.apply();", 1, "data_h has no method apply"),
        ("set();", 1, "set needs an argument for value"),
        ("set(1, 2);", 1, "set takes 1 arguments, not 2"),
        ("set(value = 1, other = 2);", 1, "set takes 1 arguments, not 2"),
        ("set(other = 2);", 5, "set has no parameter other"),
        ("set(_);", 5, "_ is for `out` parameters, which value is not"),
        ("m();", 1, "m cannot be called"),
        ("return 1;", 1, "expected return with no value"),
        ("switch (m) { 1: { } 1: { } }", 1, "a label occurs twice in this switch"),
        ("switch (m) { default: { } 1: { } }", 14, "default must be the last case"),
        ("switch (pair) { }", 9, "switch over pair_t is not supported"),
        ("bit<8> a; bit<8> a;", 11, "a is declared already in this scope"),
        ("bit<0> a;", 5, "bit<0> is not supported; widths are 1 to 4096"),
        ("int<8> a;", 1, "int<N> is not supported; bit<N> is"),
        ("missing_t a;", 1, "type missing_t is not declared"),
        ("int a;", 1, "a variable cannot have type int"),
        ("Hash<bit<8>>(HashAlgorithm_t.CRC8) h;", 1, "this statement is not supported here"),
    ],
)
def test_a_wrong_statement(statement: str, column: int, message: str) -> None:
    found = refusal(in_control(statement))
    if "is not expected here" in message:
        assert message in found
    else:
        assert found == f"a.p4:{_LINE}:{column}: {message}"


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("table t { key = { m : exact; } actions = { other; } }", "other is not declared"),
        ("table t { key = { m : exact; } actions = { m; } }", "m is no action"),
        ("table t { key = { m : selector; } actions = { set; } }", "match_kind selector is not declared"),
        ("table t { key = { m + 1 : exact; } actions = { set; } }", "this key needs a @name"),
        ("table t { key = { pair : exact; } actions = { set; } }", "a key cannot have type pair_t"),
        (
            "table t { key = { m : exact; m : exact; } actions = { set; } }",
            "two keys of t have the same name; use @name",
        ),
        ("table t { key = { m : lpm; given : lpm; } actions = { set; } }", "t has more than one lpm key"),
        ("table t { actions = { set; set; } }", "t lists an action twice"),
        ("table t { actions = { set; } default_action = set; }", "set needs an argument for value"),
        ("table t { actions = { set; } default_action = set(m); }", "the arguments of set must be constants here"),
        (
            "table t { actions = { set; } default_action = NoAction; }",
            "NoAction is not among the actions of this table",
        ),
        ("table t { actions = { @tableonly set; } default_action = set(1); }", "set is @tableonly"),
        ("table t { actions = { set; } size = 0; }", "size 0 is too small"),
        ("table t { actions = { set; } meters = 1; }", "table property meters is not supported; counters, "),
        ("table t { actions = { set; } counters = m; }", "counters needs a direct counter"),
        (
            "table t { key = { m : exact; } actions = { set; } const entries = { 1 &&& 1 : set(1); } }",
            "key m is exact and cannot match this",
        ),
        (
            "table t { key = { m : lpm; } actions = { set; } const entries = { 1 &&& 1 : set(1); } }",
            "key m is lpm and cannot match this",
        ),
        (
            "table t { key = { m : range; } actions = { set; } const entries = { 3..2 : set(1); } }",
            "the range 3 .. 2 is empty",
        ),
        (
            "table t { key = { m : exact; } actions = { set; } const entries = { (1, 2) : set(1); } }",
            "expected 1 elements to match, not 2",
        ),
        ("Hash<bit<8>>() h;", "Hash has no constructor of 0 arguments"),
        ("Hash<bit<8>>(1) h;", "expected HashAlgorithm_t, not int"),
        ("Hash(HashAlgorithm_t.CRC8, 1) h;", "expected CRCPolynomial<_>, not int"),
        ("Register<bit<8>>(1) r;", "Register takes 2 type arguments, not 1"),
        ("RegisterAction<bit<8>, bit<8>, bit<8>>(1) r;", "expected Register<_, _>, not int"),
        (
            "Register<bit<8>, bit<8>>(1) r; RegisterAction<bit<8>, bit<8>, bit<8>>(r) a;",
            "RegisterAction a must implement apply",
        ),
        ("pair_t() p;", "pair_t cannot be instantiated here; externs and controls can"),
    ],
)
def test_a_wrong_declaration(declaration: str, message: str) -> None:
    found = refusal(in_control("", declaration))
    assert message in found
    assert found.startswith("a.p4:5:")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("state start { transition other; }", "state start goes to other, which is no state"),
        ("state first { transition accept; }", "parser P has no state start"),
        ("state start { } state start { }", "state start is declared already"),
        ("state accept { } state start { }", "state accept is declared already"),
        ("state start { exit; }", "exit is not allowed here"),
        ("state start { transition select(x) { 256: accept; } }", "256 does not fit in bit<8>"),
        ("state start { transition select(x) { (1, 2): accept; } }", "expected 1 elements to match, not 2"),
        ("state start { transition select(x, x) { 1: accept; } }", "expected 2 elements to match, not 1"),
        ("state start { transition select(x) { x: accept; } }", "expected a constant"),
        ("state start { transition select(p.lookahead()) { 1: accept; } }", "lookahead needs its type argument T"),
        ("state start { p.rewind(); }", "packet_in has no method rewind"),
        ("state start { p.advance(1, 2); }", "packet_in has no method advance of 2 arguments"),
    ],
)
def test_a_wrong_parser(state: str, message: str) -> None:
    assert message in refusal(f"#include <tna.p4>\nparser P(packet_in p, inout bit<8> x) {{ {state} }}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("const bit<8> x = 1;", "a.p4:1:1: the program has no package instance main"),
        ("const bit<8> x = y;", "a.p4:1:18: y is not declared"),
        ("struct s { } struct t { s[2] x; }", "s[] is not supported; stacks of headers are"),
        ("struct s { bit<8> x; bit<8> x; }", "s has a second field x"),
        ("header h { error e; }", "a header field of type error is not supported; bit<N> is"),
        ("struct s { } struct s { }", "type s is declared already"),
        ("struct s { other_t x; }", "a.p4:1:12: type other_t is not declared"),
        ("enum bool b { X = 1 }", "an enum of bool is not supported; bit<N> is"),
        ("struct s<T> { T x; }", "s has type parameters, which is not supported"),
        ("#include <tna.p4>\nHash<bit<8>>(HashAlgorithm_t.CRC8) h;", "Hash is no package"),
        ("#include <tna.p4>\ncontrol C() { apply { } }\nPipeline(C()) p;", "Pipeline takes 6 to 6 arguments, not 1"),
    ],
)
def test_a_wrong_program(text: str, message: str) -> None:
    assert message in refusal(text)
