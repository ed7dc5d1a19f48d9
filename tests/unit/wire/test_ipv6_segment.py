"""TCP segments in IPv6 packets: parsed, built, refused."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire import tcp
from slowpath.wire.ip import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, mapped, unmapped
from slowpath.wire.options import Options
from slowpath.wire.tcp import MalformedPacket, Segment
from tests.conformance.packets import ACK, Tcp, nops, timestamps
from tests.conformance.vectors.ipv6_model import CLIENT6, VIP6, extension, fragment

GOOD = Tcp(source=CLIENT6, destination=VIP6, options=nops(2) + timestamps(7, 9), payload=b"GET /")
PARSED = Segment(CLIENT6, VIP6, 1000, 2000, ACK, 0x1F40, Options(timestamps=(7, 9)), b"GET /")


def test_a_segment_is_parsed_without_what_follows_it() -> None:
    assert tcp.parse(GOOD.packet()) == PARSED
    assert tcp.parse(replace(GOOD, padding=b"pad", tos=0xFF, flow_label=0xFFFFF, ttl=1).packet()) == PARSED


def test_extension_headers_are_read_over() -> None:
    headers = extension(DESTINATION_OPTIONS) + extension(tcp.PROTOCOL, length=264)
    assert tcp.parse(replace(GOOD, protocol=HOP_BY_HOP, ip_options=headers).packet()) == PARSED


def test_a_segment_is_built_as_it_is_parsed() -> None:
    built = tcp.build(PARSED)
    assert built == replace(GOOD, ttl=64).packet()
    assert tcp.parse(built) == PARSED


@pytest.mark.parametrize(
    ("packet", "complaint"),
    [
        (GOOD.packet()[:59], "total length"),
        (GOOD.packet()[:39], "too short"),
        (replace(GOOD, total_length=59).packet(), "total length"),
        (replace(GOOD, protocol=17).packet(), "not an unfragmented IPv6 packet with TCP"),
        (replace(GOOD, protocol=FRAGMENT, ip_options=fragment(6)).packet(), "not an unfragmented IPv6"),
        (replace(GOOD, protocol=HOP_BY_HOP, ip_options=b"\x06\xff" + bytes(6)).packet(), "not an unfragmented IPv6"),
        (replace(GOOD, data_offset=15).packet(), "data offset 15"),
        (replace(GOOD, tcp_error=1).packet(), "checksum"),
    ],
)
def test_what_is_no_segment_is_refused(packet: bytes, complaint: str) -> None:
    with pytest.raises(MalformedPacket, match=complaint):
        tcp.parse(packet)


@given(st.binary(max_size=120), st.sampled_from((0, 6, 43, 44, 60)), st.integers(0, 200))
def test_any_bytes_are_parsed_or_refused(junk: bytes, following: int, length: int) -> None:
    packet = b"\x60\0\0\0" + length.to_bytes(2, "big") + bytes((following, 64)) + bytes(32) + junk
    try:
        tcp.parse(packet, checksum_known=True)
    except MalformedPacket as refusal:
        assert str(refusal)


def test_addresses_as_sixteen_bytes() -> None:
    packed, packed6 = bytes((192, 0, 2, 1)), CLIENT6.address
    assert mapped(packed) == socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1")
    assert (unmapped(mapped(packed)), unmapped(mapped(packed6)), mapped(packed6)) == (packed, packed6, packed6)
