"""Compiling: what is kept, and what is said when it cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpath.ebpf.compile import compiled
from fastpath.ebpf.libbpf import BpfError, Object
from fastpath.errors import Unavailable

DROP = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "answer.h"
char LICENSE[] SEC("license") = "GPL";
SEC("tc") int only(struct __sk_buff *skb) { return ANSWER; }
"""
UNBOUNDED = DROP.replace("return ANSWER;", "return *(int *)(long)skb->data;")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "answer.h").write_text("#define ANSWER 2\n")
    source = tmp_path / "only.bpf.c"
    source.write_text(DROP)
    return source


def test_an_object_is_compiled_once(source: Path, tmp_path: Path) -> None:
    first = compiled(source, tmp_path / "cache")
    written = first.stat().st_mtime_ns
    assert compiled(source, tmp_path / "cache") == first
    assert first.stat().st_mtime_ns == written
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [first.name]


def test_a_changed_header_makes_another_object(source: Path, tmp_path: Path) -> None:
    first = compiled(source, tmp_path / "cache")
    (tmp_path / "answer.h").write_text("#define ANSWER 0\n")
    assert compiled(source, tmp_path / "cache") != first


def test_without_clang_it_says_what_to_install(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"clang is not installed \(Debian packages clang, libbpf-dev"):
        compiled(source, tmp_path / "cache")


def test_what_clang_says_is_passed_on(source: Path, tmp_path: Path) -> None:
    source.write_text(DROP.replace("ANSWER;", "QUESTION;"))
    with pytest.raises(Unavailable, match="undeclared identifier 'QUESTION'"):
        compiled(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(Unavailable, match="cannot keep the compiled"):
        compiled(source, tmp_path / "cache")


def test_a_refusal_carries_the_verifiers_log(source: Path, tmp_path: Path) -> None:
    source.write_text(UNBOUNDED)
    program = Object(compiled(source, tmp_path / "cache"))
    with pytest.raises(BpfError, match="invalid access to packet") as refusal:
        program.load()
    program.close()
    assert "PROG LOAD LOG" in refusal.value.log


def test_a_missing_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(BpfError, match=r"absent\.o.*No such file"):
        Object(tmp_path / "absent.o")
