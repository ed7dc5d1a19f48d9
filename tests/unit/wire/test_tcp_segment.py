"""TCP segments: built, parsed, refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import MalformedPacket, Segment
from tests.conformance.packets import Tcp, nops, timestamps

CLIENT, SERVER = Endpoint.parse("10.1.0.2:40000"), Endpoint.parse("10.1.0.100:80")
numbers = st.integers(0, 2**32 - 1)
endpoints = st.builds(Endpoint, st.binary(min_size=4, max_size=4), st.integers(0, 0xFFFF))
segments = st.builds(
    Segment,
    endpoints,
    endpoints,
    numbers,
    numbers,
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.builds(Options, timestamps=st.none() | st.tuples(numbers, numbers), mss=st.none() | st.integers(0, 0xFFFF)),
    st.binary(max_size=100),
)
GOOD = Tcp(source=CLIENT, destination=SERVER, options=nops(2) + timestamps(7, 9), payload=b"GET /")


@given(segments, st.binary(max_size=6))
def test_round_trip_with_link_padding(segment: Segment, padding: bytes) -> None:
    assert tcp.parse(tcp.build(segment) + padding) == segment


def test_a_built_packet_is_the_one_written_down_in_full() -> None:
    segment = Segment(CLIENT, SERVER, 1000, 2000, tcp.ACK, 0x1F40, Options(timestamps=(7, 9)), b"GET /")
    assert tcp.build(segment) == replace(GOOD, identification=0).packet()


@pytest.mark.parametrize(
    ("flags", "payload", "length"),
    [(0, b"", 0), (tcp.SYN, b"", 1), (tcp.FIN | tcp.ACK, b"xy", 3), (tcp.SYN | tcp.FIN, b"x", 3), (tcp.RST, b"", 0)],
)
def test_segment_length(flags: int, payload: bytes, length: int) -> None:
    assert Segment(CLIENT, SERVER, 0, 0, flags, 0, Options(), payload).length == length


def test_ipv4_options_are_skipped() -> None:
    assert tcp.parse(replace(GOOD, ip_options=bytes(8)).packet()) == tcp.parse(GOOD.packet())


@pytest.mark.parametrize(
    ("packet", "complaint"),
    [
        (b"", "too short"),
        (GOOD.packet()[:39], "too short"),
        (GOOD.packet()[:-1], "total length"),
        (replace(GOOD, total_length=39).packet(), "total length"),
        (replace(GOOD, version=5).packet(), "not an unfragmented IPv4"),
        (replace(GOOD, header_words=4).packet(), "not an unfragmented IPv4"),
        (replace(GOOD, protocol=17).packet(), "with TCP"),
        (replace(GOOD, fragment=0x2000).packet(), "unfragmented"),
        (replace(GOOD, fragment=1).packet(), "unfragmented"),
        (replace(GOOD, data_offset=4).packet(), "data offset 4"),
        (replace(GOOD, data_offset=15).packet(), "data offset 15"),
        (replace(GOOD, tcp_error=1).packet(), "checksum"),
        (replace(GOOD, options=b"\x08\0\0\0").packet(), "option 8"),
    ],
)
def test_what_is_no_segment_is_refused(packet: bytes, complaint: str) -> None:
    with pytest.raises(MalformedPacket, match=complaint):
        tcp.parse(packet)


def test_a_checksum_that_an_offload_vouches_for_is_not_looked_at() -> None:
    assert tcp.parse(replace(GOOD, tcp_error=1).packet(), checksum_known=True) == tcp.parse(GOOD.packet())


@given(st.data())
def test_no_byte_of_a_segment_can_change_unnoticed(data: st.DataObject) -> None:
    packet = bytearray(GOOD.packet())
    position = data.draw(st.integers(20, len(packet) - 1))
    packet[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedPacket):
        tcp.parse(bytes(packet))


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_parsed_or_refused(junk: bytes, known: bool) -> None:
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(junk), 0, 0, 64, 6) + bytes(10)
    for packet in (junk, head + junk):
        try:
            tcp.parse(packet, checksum_known=known)
        except MalformedPacket as refusal:
            assert str(refusal)


@pytest.mark.parametrize(("field", "value"), [("sequence", 2**32), ("acknowledgment", -1), ("window", 0x1_0000)])
def test_a_number_out_of_range_is_not_built(field: str, value: int) -> None:
    segment = Segment(CLIENT, SERVER, 0, 0, tcp.ACK, 0, Options())
    setattr(segment, field, value)
    with pytest.raises(struct.error):
        tcp.build(segment)
