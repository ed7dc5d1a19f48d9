"""Frames between fast and slow path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath import frame
from fastpath.frame import Action, BadFrame, InjectFlags
from fastpath.records import Reason

OFFLOAD = bytes(10)
PUNTED = bytes.fromhex("02030000014c 02000000c0fe 0800") + b"packet"


def test_a_punted_frame_says_why_and_where_from() -> None:
    punt = frame.decode(OFFLOAD + PUNTED)
    assert (punt.reason, punt.port, punt.packet) == (Reason.PIVOT, 1, b"packet")
    assert not punt.checksum_known and not punt.checksum_pending


@pytest.mark.parametrize(("flags", "known", "pending"), [(0, False, False), (1, True, True), (2, True, False)])
def test_the_offload_header_speaks_of_the_checksum(flags: int, known: bool, pending: bool) -> None:
    punt = frame.decode(bytes((flags,)) + OFFLOAD[1:] + PUNTED)
    assert (punt.checksum_known, punt.checksum_pending) == (known, pending)


def test_a_punt_goes_back_with_its_offloads_and_its_ethernet_source() -> None:
    offload = bytes(range(1, 11))
    punt = frame.decode(offload + PUNTED)
    back = offload + bytes.fromhex("02020100014c 02000000c0fe 0800")
    assert punt.reinjected(Action.ROUTE, InjectFlags.EXPECT_REPLY) == back + b"packet"
    assert frame.replaced(punt, b"other", Action.ROUTE, InjectFlags.EXPECT_REPLY) == back + b"other"


def test_an_encoded_frame_has_no_pending_offload() -> None:
    expected = OFFLOAD + bytes.fromhex("0200 00 0002 4c 000000000000 0800") + b"packet"
    assert frame.encode(b"packet", Action.TRANSLATE, port=2) == expected


@pytest.mark.parametrize(
    "frame_bytes",
    [
        OFFLOAD + PUNTED[:13],
        OFFLOAD + b"\3" + PUNTED[1:],
        OFFLOAD + PUNTED[:5] + b"\x4d" + PUNTED[6:],
        OFFLOAD + PUNTED[:1] + b"\0" + PUNTED[2:],
        OFFLOAD + PUNTED[:1] + b"\x09" + PUNTED[2:],
    ],
)
def test_what_is_no_punt_is_refused(frame_bytes: bytes) -> None:
    with pytest.raises(BadFrame):
        frame.decode(frame_bytes)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    try:
        assert frame.decode(raw).raw == raw
    except BadFrame as refusal:
        assert str(refusal)
