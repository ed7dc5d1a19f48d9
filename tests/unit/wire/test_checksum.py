"""The Internet checksum against the examples of its RFCs and against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire.checksum import fold, internet_checksum, ones_complement_sum, pseudo_header_sum, updated

even_bytes = st.binary(max_size=64).map(lambda data: data[: len(data) & ~1])


def by_definition(data: bytes) -> int:
    """RFC 1071 section 4.1, word by word."""
    total = 0
    for offset in range(0, len(data), 2):
        total += int.from_bytes(data[offset : offset + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_rfc_1071_section_3() -> None:
    assert ones_complement_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D


def test_an_ipv4_header_sums_to_all_ones() -> None:
    header = bytes.fromhex("450000730000400040110000c0a80001c0a800c7")
    assert internet_checksum(header) == 0xB861
    assert ones_complement_sum(header[:10] + bytes.fromhex("b861") + header[12:]) == 0xFFFF


def test_rfc_1624_section_4() -> None:
    # The example for which equation 2 gives 0xFFFF.
    assert updated(0xDD2F, bytes.fromhex("5555"), bytes.fromhex("3285")) == 0x0000


@pytest.mark.parametrize(("data", "total"), [(b"", 0), (bytes(8), 0), (b"\xff\xff", 0xFFFF), (b"\xff" * 8, 0xFFFF)])
def test_both_zeros(data: bytes, total: int) -> None:
    assert ones_complement_sum(data) == total


def test_an_odd_tail_is_padded() -> None:
    assert ones_complement_sum(b"\x12\x34\x56") == 0x1234 + 0x5600


@pytest.mark.parametrize(
    ("total", "folded"), [(0, 0), (0xFFFF, 0xFFFF), (0x1_0000, 1), (0x1_FFFF, 1), (0xFFFF_FFFF, 0xFFFF)]
)
def test_fold(total: int, folded: int) -> None:
    assert fold(total) == folded


def test_the_pseudo_header_of_either_version() -> None:
    assert pseudo_header_sum(bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), 6, 20) == 0x0A00 + 1 + 0x0A00 + 2 + 6 + 20
    assert pseudo_header_sum(b"\x20" * 16, bytes(16), 6, 20) == by_definition(b"\x20" * 16) + 26


@given(st.binary(max_size=200))
def test_the_sum_is_the_definition(data: bytes) -> None:
    assert ones_complement_sum(data) == by_definition(data)


@given(even_bytes, st.binary(max_size=40))
def test_a_sum_continues(first: bytes, second: bytes) -> None:
    assert internet_checksum(second, ones_complement_sum(first)) == internet_checksum(first + second)


@given(even_bytes, st.data(), even_bytes, st.integers(0, 0xFFFE))
def test_an_update_equals_a_new_computation_and_keeps_the_error(
    old: bytes, data: st.DataObject, rest: bytes, error: int
) -> None:
    new = data.draw(st.binary(min_size=len(old), max_size=len(old)))
    before, after = internet_checksum(b"\1\1" + old + rest), internet_checksum(b"\1\1" + new + rest)
    assert updated((before + error) % 0xFFFF, old, new) % 0xFFFF == (after + error) % 0xFFFF
