from __future__ import annotations

from pathlib import Path

import pytest

from p4model.language.errors import P4Error, Position
from p4model.language.preprocessor import Preprocessor
from p4model.language.spelling import spelled
from tests.unit.p4model.language.p4_sources import preprocessed


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a /* x\ny */ b // c\nd", "a b d"),
        ('"/* no comment */"', '"/* no comment */"'),
        ("a\\\nb", "a b"),
        ("#define W 3\nbit<W> W2", "bit < 3 > W2"),
        ("#define ADD(x, y) ((x) + y)\nADD(1, (2, 3)) ADD", "( ( 1 ) + ( 2 , 3 ) ) ADD"),
        ("#define EMPTY() here\nEMPTY()", "here"),
        ("#define A A B\n#define B A\nA", "A A"),
        ("#define W 3\n#undef W\nW", "W"),
        ("#define W 3\n#define W 3\nW", "3"),
        ("#if N == 2 && !defined(M)\nyes\n#else\nno\n#endif", "yes"),
        ("#if N > 2\na\n#elif N >> 1 == 1 || M\nb\n#elif 1\nc\n#else\nd\n#endif", "b"),
        ("#ifdef M\na\n#endif\n#ifndef M\nb\n#endif", "b"),
        ("#if 0\n#if 1\na\n#else\nb\n#endif\n#error no\n#unknown\n#else\nc\n#endif", "c"),
        ("#if (1 + 2) * 3 % 5 - 4 == 0 && ~0 == -1 && 7 / 2 == 3\nyes\n#endif", "yes"),
        ("a\n@pragma stage 3\n#pragma once\nb", "a b"),
        ("x >> y |+| z ++ 0..39", "x > > y |+| z ++ 0 .. 39"),
    ],
)
def test_what_becomes_of_a_text(text: str, result: str) -> None:
    assert preprocessed(text, N="2") == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n  `", "a.p4:2:3: character '`' begins no token"),
        ("#if 1\n", "a.p4:1:2: this condition has no #endif"),
        ("#endif", "a.p4:1:2: #endif without #if"),
        ("#if 1\n#else\n#else\n#endif", "a.p4:3:2: #else without #if"),
        ("#if 1 +\n#endif", "a.p4:1:2: the condition ends too early"),
        ("#if 1 2\n#endif", "a.p4:1:7: '2' is not expected here"),
        ("#if 1 / 0\n#endif", "a.p4:1:2: division by zero"),
        ("#error too small", "a.p4:1:2: #error too small"),
        ("#nothing", "a.p4:1:2: #nothing is no directive"),
        ("#define", "a.p4:1:2: #define needs a name"),
        ("#define N 1\n#define N 2", "a.p4:2:9: macro N is defined already; use #undef first"),
        ("#define S(x) #x", "a.p4:1:9: macro S uses # or ##, which are not supported"),
        ("#define F(x) x\nF(1, 2)", "a.p4:2:1: macro F takes 1 arguments, not 2"),
        ("#define F(x) x\nF(1", "a.p4:2:1: the arguments of macro F have no closing parenthesis"),
        ('#include "b.p4"', "a.p4:1:2: no file b.p4 in ."),
        ("#include b.p4", 'a.p4:1:2: #include takes "file" or <file>'),
    ],
)
def test_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(P4Error) as raised:
        preprocessed(text)
    assert str(raised.value) == message


def test_a_quoted_file_is_looked_for_beside_the_one_that_includes_it(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "main.p4").write_text('#include "inner/a.p4"\n#include <b.p4>\n')
    (inner / "a.p4").write_text('#include "b.p4"\n')
    (inner / "b.p4").write_text("beside\n")
    (tmp_path / "b.p4").write_text("\n  among\n")
    tokens = list(Preprocessor([tmp_path]).file(tmp_path / "main.p4"))
    assert [token.text for token in tokens] == ["beside", "among"]
    assert tokens[1].position == Position(str(tmp_path / "b.p4"), 2, 3)


def test_an_overlay_takes_the_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.p4"
    path.write_text("file")
    overlay = {path.resolve(): "overlay"}
    assert [token.text for token in Preprocessor([], overlay).file(path)] == ["overlay"]


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.p4"
    path.write_text('#include "a.p4"\n')
    with pytest.raises(P4Error, match="does it include itself"):
        list(Preprocessor([]).file(path))


def test_what_comes_from_a_macro_is_where_it_is_used() -> None:
    preprocessor = Preprocessor([])
    tokens = list(preprocessor.text("#define TWO a b\n\n  TWO", "a.p4"))
    assert [token.position for token in tokens] == [Position("a.p4", 3, 3)] * 2


def test_line_directives_tell_where_text_comes_from() -> None:
    text = 'a\n#line 7 "b \\"c\\".p4"\n  b \\\nc\n#line 3\nd\n#error no'
    with pytest.raises(P4Error) as raised:
        list(Preprocessor([]).text(text, "a.p4"))
    assert raised.value.position == Position('b "c".p4', 4, 2)
    tokens = list(Preprocessor([]).text(text.removesuffix("#error no"), "a.p4"))
    assert [(token.text, token.position) for token in tokens] == [
        ("a", Position("a.p4", 1, 1)),
        ("b", Position('b "c".p4', 7, 3)),
        ("c", Position('b "c".p4', 8, 1)),
        ("d", Position('b "c".p4', 3, 1)),
    ]


@pytest.mark.parametrize("directive", ["#line", '#line "a"', "#line 1 b", '#line 1 "a" 2'])
def test_a_wrong_line_directive(directive: str) -> None:
    with pytest.raises(P4Error, match=r'a\.p4:2:2: #line takes a number, and "file" behind it'):
        preprocessed(f"\n{directive}")


@pytest.mark.parametrize(
    "text",
    [
        "a b\n\n\n  c d // e\nf",
        "#define TWO(x) x + x\n  TWO(1) TWO(a >> 2) b >> c\n>>>",
        "#define W 12345678\nbit<W> a; bit<W>b;\n",
        '"a\\"b" "/* c */"',
        '\n#include "inner.p4"\nbehind',
        "",
    ],
)
def test_spelled_tokens_are_the_same_tokens_again(text: str, tmp_path: Path) -> None:
    (tmp_path / "inner.p4").write_text("\n\n   inner\n")
    before = list(Preprocessor([tmp_path]).text(text, "a.p4"))
    after = list(Preprocessor([]).text(spelled(before), "b.p4"))
    assert [token.text for token in after] == [token.text for token in before]
    pairs = list(zip(before, after, strict=True))
    assert all(one.position[:2] == other.position[:2] for one, other in pairs)
    # The second half of a shift keeps its place beside the first.
    assert all(one.position == other.position for one, other in pairs if one.spaced or one.text != ">")
