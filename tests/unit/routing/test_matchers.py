"""Conditions on a text."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.routing.matchers import Exact, InvalidPattern, Prefix, Present, Regex, Wildcard


@pytest.mark.parametrize(
    ("matcher", "yes", "no"),
    [
        (Exact("/a"), ["/a"], ["/A", "/a/", "/", ""]),
        (Prefix("/a/"), ["/a/", "/a/b"], ["/a", "/ab", "x/a/"]),
        (Prefix(""), ["", "x"], []),
        (Wildcard("a.b"), ["x.a.b", "y.x.a.b"], ["a.b", ".a.b", "xa.b", "x.a.b.c", ""]),
        (Regex("b+"), ["abc", "b", "x/bb"], ["a", "B", ""]),
        (Regex("^/v[0-9]+/"), ["/v1/", "/v22/x"], ["/v/", "x/v1/"]),
        (Regex("^a$"), ["a"], ["a\n", "\na", "aa"]),
        (Regex("^(a|b)$"), ["a", "b"], ["ab"]),
        (Regex("(?i)^é.$"), ["éß", "ÉX"], ["é", "e."]),
        (Regex(""), ["", "x"], []),
        (Present(), ["", "x"], []),
    ],
)
def test_matches(matcher: Exact | Prefix | Wildcard | Regex | Present, yes: list[str], no: list[str]) -> None:
    assert [text for text in (*yes, *no) if matcher.matches(text)] == yes


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(b", r"missing \): a\(b"),
        ("[z-a]", "invalid character class range: z-a"),
        (r"(a)\1", r"invalid escape sequence: \\1"),
        ("(?=a)", r"invalid perl operator: \(\?="),
        ("a{1001}", "invalid repetition size"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        (r"(\pL{30}){30}", "pattern too large"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_a_pattern_that_re2_refuses(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPattern, match=reason) as error:
        Regex(pattern)
    assert error.value.pattern == pattern
    assert repr(pattern) in str(error.value)
    assert error.value.reason in str(error.value)


def test_a_pattern_that_backtracking_would_never_finish() -> None:
    assert not Regex("^(a+)+(a*)*(a|a)*$").matches("a" * 10_000 + "b")


def test_a_pattern_whose_automaton_would_exceed_its_memory_still_decides() -> None:
    text = "".join(Random(1).choices("ab", k=20_000))
    assert not Regex("a[ab]{18}c").matches(text)
    assert Regex("a[ab]{18}c").matches(text + "a" + "b" * 18 + "c")


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_pattern_and_the_text(pattern: str, text: str) -> None:
    try:
        regex = Regex(pattern)
    except InvalidPattern:
        return
    assert regex.matches(text) in (True, False)
