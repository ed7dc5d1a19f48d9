"""TCP options: located, decoded, encoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire.options import MalformedOptions, Options, decode, locate

LONGEST = 40
"""Bytes of options in a TCP header of data offset 15."""

numbers = st.integers(0, 2**32 - 1)
option_sets = st.builds(
    Options,
    mss=st.none() | st.integers(0, 0xFFFF),
    window_scale=st.none() | st.integers(0, 14),
    sack_permitted=st.booleans(),
    timestamps=st.none() | st.tuples(numbers, numbers),
    sack=st.lists(st.tuples(numbers, numbers), max_size=4).map(tuple),
)

LINUX_SYN = bytes.fromhex("020405b40402080a00bc614e0000000001030307")
LINUX_ACK = bytes.fromhex("0101080a00bc614e00bc6100")


def test_the_options_of_a_linux_syn() -> None:
    expected = Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(0xBC614E, 0))
    assert decode(LINUX_SYN) == expected
    assert expected.encode() == LINUX_SYN
    assert locate(LINUX_SYN) == [(2, 0, 4), (4, 4, 2), (8, 6, 10), (3, 17, 3)]


def test_the_options_of_a_linux_ack() -> None:
    assert decode(LINUX_ACK) == Options(timestamps=(0xBC614E, 0xBC6100))
    assert decode(LINUX_ACK).encode() == LINUX_ACK


@given(option_sets)
def test_round_trip(options: Options) -> None:
    area = options.encode()
    assert len(area) % 4 == 0
    assert decode(area) == options


def test_all_that_a_segment_carries_fits() -> None:
    full = Options(timestamps=(1, 2), sack=((1, 2), (3, 4), (5, 6)))
    assert len(full.encode()) == LONGEST


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (b"", Options()),
        (b"\0\0\0\0", Options()),
        (b"\1\1\1\1", Options()),
        (b"\1\0\x08\0", Options()),
        (b"\xfe\4ab\3\3\7\1", Options(window_scale=7)),
        (b"\3\3\x0f\0", Options(window_scale=14)),
        (b"\x08\x0a\0\0\0\1\0\0\0\2\1\1", Options(timestamps=(1, 2))),
        (b"\5\x0a\0\0\0\1\0\0\0\2\0\0", Options(sack=((1, 2),))),
    ],
)
def test_unusual_layouts(area: bytes, expected: Options) -> None:
    assert decode(area) == expected


@pytest.mark.parametrize(
    "area",
    [
        b"\x08",
        b"\x08\0\0\0",
        b"\x08\1\0\0",
        b"\x08\x0a\0\0",
        b"\xfe\0",
        b"\xfe\5\0\0",
        b"\x08\x09" + bytes(10),
        b"\2\3\0\0",
        b"\3\4\0\0",
        b"\4\3\0\0",
        b"\5\2\1\1",
        b"\5\6" + bytes(6),
        b"\5\x0e" + bytes(14),
    ],
)
def test_malformed_areas_are_refused(area: bytes) -> None:
    with pytest.raises(MalformedOptions, match=r"option [0-9]+ at byte 0 has length"):
        locate(area)
    with pytest.raises(MalformedOptions):
        decode(area)


@given(st.binary(max_size=LONGEST))
def test_any_bytes_are_located_or_refused(area: bytes) -> None:
    try:
        found = locate(area)
    except MalformedOptions:
        return
    end = 0
    for kind, offset, length in found:
        assert area[offset] == kind and area[offset + 1] == length and offset >= end
        end = offset + length
    assert end <= len(area)
