"""The fast way to make an update makes what the slow one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bfrt import Schema, SchemaError
from bfrt.tables import Table
from tests.unit.bfrt import documents

SCHEMA = Schema.parse(documents.PROGRAM_DOCUMENT, documents.FIXED_DOCUMENT)
CONNECTIONS = Table(None, SCHEMA.table("connections"))  # type: ignore[arg-type]
VIPS = Table(None, SCHEMA.table("vips"))  # type: ignore[arg-type]


@given(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 1), st.integers(0, 2**15 - 1)))
def test_an_insert_is_the_same_bytes(values: tuple[int, int, int, int]) -> None:
    key, arguments = values[:1], values[1:]
    assert CONNECTIONS.packer("spliced")(key, arguments) == CONNECTIONS.insert(key, "spliced", arguments)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))
def test_a_delete_is_the_same_bytes(address: int, port: int) -> None:
    assert VIPS.deleter()((address, port)) == VIPS.delete((address, port))


@pytest.mark.parametrize(
    ("key", "arguments", "words"),
    [
        ((1 << 32,), (0, 0, 0), "digest has 32 bits"),
        ((0,), (0, 2, 0), "pivot has 1 bits"),
        ((0,), (0, 0, -1), "path has 15 bits"),
        ((0,), (0, 0), "takes 3 values"),
        ((0, 0), (0, 0, 0), "takes 1 values"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(key: tuple[int, ...], arguments: tuple[int, ...], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        CONNECTIONS.packer("spliced")(key, arguments)


def test_tables_that_are_not_exact_have_no_packer() -> None:
    with pytest.raises(SchemaError, match=r"routes: address is not an exact integer"):
        Table(None, SCHEMA.table("routes")).packer("via")  # type: ignore[arg-type]
