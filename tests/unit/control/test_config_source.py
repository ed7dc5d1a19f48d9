"""YAML: what is not plain is refused, with its line, and nothing else escapes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.control.config import ConfigError, load
from slowpath.control.config.source import MAX_BYTES, MAX_DEPTH, read


def refused(tmp_path: Path, content: bytes) -> list[str]:
    file = tmp_path / "l7lb.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load(file)
    return [str(problem).removeprefix(f"{file}:") for problem in raised.value.problems]


def test_values_know_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text("a:\n  - b: 1\n    c: [x,\n         2.5]\nd: true\ne:\n")
    source = read(file)
    assert source.data == {"a": [{"b": 1, "c": ["x", 2.5]}], "d": True, "e": None}
    assert source.lines[("a", 0, "c", 1)] == 4
    assert source.lines[("d",)] == 5
    assert source.problem(("a", 0, "missing", "key"), "wrong").line == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "3: a: given twice, first on line 1"),
        (b"a: &x [1]\nb: *x\n", "2: not YAML: aliases (*name) are not supported: repeat the value"),
        (b"a: [1\nb: 2\n", "2: not YAML: while parsing a flow sequence"),
        (b"a: 1\n---\nb: 2\n", "2: not YAML: expected a single document in the stream"),
        (b"a: 1\nb: \xff\n", "2: not UTF-8 text"),
        (b"a: 1\nb: \x07\n", "2: the character #x7 is not allowed"),
        (b"\n? [a, b]\n: 1\n", "2: a key has to be a plain word"),
        (b"a: 1\nb: !!int 2\n", "2: not YAML: tags (tag:yaml.org,2002:int) are not supported"),
        (b"a: " + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, f"nested deeper than {MAX_DEPTH} levels"),
        (b"#" * (MAX_BYTES + 1), f"1: larger than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_not_plain(tmp_path: Path, content: bytes, message: str) -> None:
    assert any(message in problem for problem in refused(tmp_path, content))


@pytest.mark.parametrize("text", ["2001-01-01", "0x_", "0b_", "<<", "="])
def test_what_only_looks_like_something_else_is_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text(f"a: {text}\n{text}: a\n")
    assert read(file).data == {"a": text, text: "a"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load(tmp_path / "none.yaml")


_FRAGMENTS = st.sampled_from(
    [
        "fastpath",
        "listeners",
        "pools",
        "web",
        ": ",
        "\n",
        "  ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<",
        "!!int ",
        "? ",
    ]
)


@given(st.one_of(st.binary(max_size=64), st.lists(_FRAGMENTS, max_size=24).map("".join).map(str.encode)))
def test_any_bytes_are_refused_in_order(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert raised.value.problems == sorted(raised.value.problems)
    assert all(problem.line >= 1 for problem in raised.value.problems)
