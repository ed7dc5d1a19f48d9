"""Frames between fast and slow path."""

from __future__ import annotations

import struct

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
    assert frame.replaced(punt, b"Eother", Action.ROUTE, InjectFlags.EXPECT_REPLY) == back + b"Eother"


def test_an_encoded_frame_has_no_pending_offload() -> None:
    expected = OFFLOAD + bytes.fromhex("0200 00 0002 4c 000000000000 0800") + b"\x45packet"
    assert frame.encode(b"\x45packet", Action.TRANSLATE, port=2) == expected


def test_the_packet_says_which_ip_version_a_frame_has() -> None:
    assert frame.encode(b"\x60packet", Action.ROUTE)[-9:] == b"\x86\xdd\x60packet"
    assert frame.encode(b"\x60packet", Action.EMIT, ether_type=0x0806)[-9:] == b"\x08\x06\x60packet"


@pytest.mark.parametrize("known", [0, 1])
def test_a_packet_that_became_one_of_the_other_version_keeps_its_pending_offloads(known: int) -> None:
    """Of a GSO super-packet with ECN, whose checksum is pending if `known` is 1."""
    tcp = b"tcp header and payload"
    short, long = b"\x45" + bytes(19) + tcp, b"\x60" + bytes(39) + tcp
    of_ipv4 = struct.pack("=BBHHHH", known, 0x81, 54, 1440, 34 * known, 16 * known)
    of_ipv6 = struct.pack("=BBHHHH", known, 0x84, 74, 1440, 54 * known, 16 * known)
    head = bytes.fromhex("02030000014c 02000000c0fe")
    ipv4, ipv6 = of_ipv4 + head + b"\x08\x00" + short, of_ipv6 + head + b"\x86\xdd" + long
    routed = bytes.fromhex("0202")
    for arrived, leaves, packet in ((ipv4, ipv6, long), (ipv6, ipv4, short)):
        expected = leaves[:10] + routed + leaves[12:]
        assert frame.replaced(frame.decode(arrived), packet, Action.ROUTE) == expected


@pytest.mark.parametrize(
    "frame_bytes",
    [
        OFFLOAD + PUNTED[:13],
        OFFLOAD + b"\3" + PUNTED[1:],
        OFFLOAD + PUNTED[:5] + b"\x4d" + PUNTED[6:],
        OFFLOAD + PUNTED[:1] + b"\0" + PUNTED[2:],
        OFFLOAD + PUNTED[:1] + b"\x0b" + PUNTED[2:],
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
