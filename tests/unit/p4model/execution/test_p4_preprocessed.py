"""A program as one text: it is the same program, with the same positions."""

from __future__ import annotations

from pathlib import Path

import pytest

from p4model.program import P4Error, compile_program, compile_text, preprocessed
from tests.unit.p4model.execution.tna_programs import data, started
from tests.unit.p4model.execution.v1model_programs import text

_INNER = """
#define READ(field) hdr.data.c = meta.field + 1;
control Inner(inout headers_t hdr, inout metadata_t meta) {
    apply {
        READ(m)
#if SIZE == 16
        hdr.data.d = SIZE;
#endif
    }
}
"""


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A program in two files."""
    path = tmp_path / "main.p4"
    path.write_text(text(declarations='#include "inner.p4"', locals="Inner() inner;", body="inner.apply(hdr, meta);"))
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "inner.p4").write_text(_INNER)
    return path


def test_it_is_the_same_program(main: Path) -> None:
    include, defines = [main.parent / "include"], {"SIZE": "16"}
    whole = compile_program(main, include=include, defines=defines)
    again = compile_text(preprocessed(main, include=include, defines=defines))
    assert (again.info, again.source, again.architecture) == (whole.info, whole.source, whole.architecture)
    results = [started(program)[0].process(1, data(1)) for program in (whole, again)]
    assert results[0] == results[1]
    assert results[0].findings == [f"{include[0] / 'inner.p4'}:5:9: read of meta.m, which has no value yet"]


def test_errors_have_the_positions_of_the_files(main: Path) -> None:
    inner = main.parent / "include" / "inner.p4"
    overlay = {inner: _INNER.replace("hdr.data.d = SIZE;", "hdr.data.d = SIZES;")}
    one = preprocessed(main, include=[inner.parent], defines={"SIZE": "16"}, overlay=overlay)
    with pytest.raises(P4Error) as raised:
        compile_text(one)
    assert str(raised.value) == f"{inner}:7:22: SIZES is not declared"
    with pytest.raises(P4Error, match=r"no file inner\.p4"):
        preprocessed(main)
