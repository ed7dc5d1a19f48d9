"""The reference rewrite by itself: a packet written down in hexadecimal, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.records import Direction, Flow, Splice, Translation, Tuple4
from fastpath.rewrite import translate
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.tcp import MalformedPacket
from tests.conformance.packets import Tcp, nops, sack, timestamps

CLIENT, VIP, SERVER = map(Endpoint.parse, ("10.1.0.2:40000", "10.1.0.100:80", "10.2.0.2:8080"))
TO_SERVER, TO_CLIENT = Splice(Flow(CLIENT, VIP), SERVER, 7, CLIENT, 0x1111_2222, 0x3333_4444).translations()
GOOD = Tcp(source=CLIENT, destination=VIP, options=nops(2) + timestamps(7, 9), payload=b"GET /")


def test_a_packet_in_hexadecimal() -> None:
    # The checksums of both are tshark's.
    arrives = bytes.fromhex(
        "45000039 1c464000 40060a12 0a010002 0a010064"
        "9c400050 000003e8 000007d0 80101f40 d0520000 0101080a 00000007 00000009 47455420 2f"
    )
    leaves = bytes.fromhex(
        "45000039 1c464000 3f060b73 0a010002 0a020002"
        "9c401f90 000003e8 eeeee5ae 80101f40 5c1c0000 0101080a 00000007 ccccbbc5 47455420 2f"
    )
    assert translate(arrives, TO_SERVER) == leaves


def test_ipv4_options_stay_and_are_no_obstacle() -> None:
    options = nops(1) + timestamps(1, 2) + sack(3, 4) + nops(3)
    arrives = replace(GOOD, ip_options=b"\x94\4\0\0\1\1\1\0", options=options, padding=b"pad")
    moved = nops(1) + timestamps(1, 2 - 0x3333_4444 + 2**32) + sack(3 - 0x1111_2222 + 2**32, 4 - 0x1111_2222 + 2**32)
    leaves = replace(
        arrives,
        destination=SERVER,
        acknowledgment=2000 - 0x1111_2222 + 2**32,
        options=moved + nops(3),
        ttl=63,
    )
    assert translate(arrives.packet(), TO_SERVER) == leaves.packet()


@pytest.mark.parametrize(
    ("packet", "complaint"),
    [
        (b"", "in 0 bytes"),
        (GOOD.packet()[:-1], "no whole IP and TCP headers"),
        (replace(GOOD, version=6).packet(), "no whole IP and TCP headers"),
        (replace(GOOD, protocol=17).packet(), "no whole IP and TCP headers"),
        (replace(GOOD, data_offset=4).packet(), "no whole IP and TCP headers"),
        (replace(GOOD, data_offset=15).packet(), "no whole IP and TCP headers"),
        (replace(GOOD, options=b"\x08\0\0\0").packet(), "option 8 at byte 0 has length 0"),
        (replace(GOOD, ttl=1).packet(), "TTL 1 is used up"),
        (replace(GOOD, ttl=0).packet(), "TTL 0 is used up"),
    ],
)
def test_what_cannot_be_translated_is_refused(packet: bytes, complaint: str) -> None:
    with pytest.raises(MalformedPacket, match=complaint):
        translate(packet, TO_SERVER)


@given(st.binary(max_size=80), st.sampled_from((TO_SERVER, TO_CLIENT)))
def test_any_bytes_are_translated_to_as_many_or_refused(junk: bytes, translation: Translation) -> None:
    header = GOOD.packet()[:20]
    for data in (junk, header + junk, header[:2] + (20 + len(junk)).to_bytes(2, "big") + header[4:] + junk):
        try:
            assert len(translate(data, translation)) == len(data)
        except MalformedPacket as refusal:
            assert str(refusal)


def test_a_splice_says_what_becomes_of_each_direction() -> None:
    source = Endpoint.parse("10.2.0.17:50001")
    up, down = Splice(Flow(CLIENT, VIP), SERVER, 7, source, 5, 6).translations()
    assert up == Translation(
        Direction.TO_SERVER,
        Tuple4(CLIENT, VIP),
        Tuple4(source, SERVER),
        acknowledgment=2**32 - 5,
        tsecr=2**32 - 6,
    )
    assert down == Translation(Direction.TO_CLIENT, Tuple4(SERVER, source), Tuple4(VIP, CLIENT), sequence=5, tsval=6)
