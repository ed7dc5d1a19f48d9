"""One TCP segment in its IP packet: bytes to values and back (RFC 9293 section 3.1, RFC 791 section 3.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from slowpath.wire import options as tcp_options
from slowpath.wire.checksum import fold, internet_checksum, ones_complement_sum, pseudo_header_sum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options

PROTOCOL = 6
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

CHECKSUM_OFFSET = 16
"""Where the checksum field stands in the TCP header, in bytes."""

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_DEFAULT_TTL = 64
_DONT_FRAGMENT = 0x4000


class MalformedPacket(ValueError):
    """The bytes are not one whole IPv4 packet that holds one whole TCP segment; the text says why."""


@dataclass(slots=True)
class Segment:
    """A TCP segment with its addresses; all numbers in host form, `window` unscaled as on the wire."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    acknowledgment: int
    flags: int
    window: int
    options: Options
    payload: bytes = b""

    @property
    def length(self) -> int:
        """Sequence numbers the segment occupies: SEG.LEN of RFC 9293, with SYN and FIN counting one each."""
        return len(self.payload) + (self.flags & FIN) + ((self.flags & SYN) >> 1)


def parse(packet: bytes, *, checksum_known: bool = False) -> Segment:
    """Parse an IPv4 `packet` (from its version byte on) that holds a whole TCP segment.

    Bytes past the IP total length (link padding) are ignored. Unless `checksum_known` (an offload
    vouches for it or has yet to fill it in), a wrong TCP checksum is refused. Raises MalformedPacket.
    """
    if len(packet) < 40:
        raise MalformedPacket(f"{len(packet)} bytes are too short for IPv4 and TCP")
    version_ihl, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    start = (version_ihl & 15) * 4
    if version_ihl >> 4 != 4 or start < 20 or protocol != PROTOCOL or fragment & 0x3FFF:
        raise MalformedPacket("not an unfragmented IPv4 packet with TCP")
    if not start + 20 <= total <= len(packet):
        raise MalformedPacket(f"IPv4 total length {total} in {len(packet)} bytes")
    sport, dport, seq, ack, offset, flags, window, _, _ = _TCP.unpack_from(packet, start)
    data = start + (offset >> 4) * 4
    if not start + 20 <= data <= total:
        raise MalformedPacket(f"TCP data offset {offset >> 4}")
    if not checksum_known:
        pseudo = pseudo_header_sum(source, destination, PROTOCOL, total - start)
        if fold(ones_complement_sum(packet[start:total]) + pseudo) != 0xFFFF:
            raise MalformedPacket("wrong TCP checksum")
    try:
        decoded = tcp_options.decode(packet[start + 20 : data])
    except tcp_options.MalformedOptions as error:
        raise MalformedPacket(str(error)) from None
    return Segment(
        Endpoint(source, sport), Endpoint(destination, dport), seq, ack, flags, window, decoded, packet[data:total]
    )


def build(segment: Segment) -> bytes:
    """The IPv4 packet for `segment` (DF set, TTL 64, identification 0 as RFC 6864 allows).

    Raises struct.error for a number out of range.
    """
    area = segment.options.encode()
    offset = (20 + len(area)) << 2
    (source, sport), (destination, dport) = segment.source, segment.destination
    head = _TCP.pack(
        sport, dport, segment.sequence, segment.acknowledgment, offset, segment.flags, segment.window, 0, 0
    )
    tcp = head + area + segment.payload
    pseudo = pseudo_header_sum(source, destination, PROTOCOL, len(tcp))
    checksum = internet_checksum(tcp, pseudo)
    ip = _IPV4.pack(0x45, 0, 20 + len(tcp), 0, _DONT_FRAGMENT, _DEFAULT_TTL, PROTOCOL, 0, source, destination)
    ip = ip[:10] + internet_checksum(ip).to_bytes(2, "big") + ip[12:]
    return b"".join((ip, tcp[:CHECKSUM_OFFSET], checksum.to_bytes(2, "big"), tcp[CHECKSUM_OFFSET + 2 :]))
