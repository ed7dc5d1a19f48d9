"""One TCP segment in its IP packet: bytes to values and back (RFC 9293 section 3.1, RFC 791, RFC 8200)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from slowpath.wire import options as tcp_options
from slowpath.wire.checksum import fold, internet_checksum, ones_complement_sum, pseudo_header_sum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, IPV6, ipv6_payload
from slowpath.wire.options import Options

PROTOCOL: Final = 6
FIN: Final = 1
SYN: Final = 2
RST: Final = 4
PSH: Final = 8
ACK: Final = 16
URG: Final = 32
ECE: Final = 64
CWR: Final = 128

CHECKSUM_OFFSET: Final = 16
"""Where the checksum field stands in the TCP header, in bytes."""

_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")
_TCP: Final = struct.Struct("!HHIIBBHHH")
_DEFAULT_TTL: Final = 64
_VERSION_6: Final = 6 << 28
_DONT_FRAGMENT: Final = 0x4000


class MalformedPacket(ValueError):
    """The bytes are not one whole IP packet that holds one whole TCP segment; the text says why."""


@dataclass(slots=True, init=False)
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

    def __init__(
        self,
        source: Endpoint,
        destination: Endpoint,
        sequence: int,
        acknowledgment: int,
        flags: int,
        window: int,
        options: Options,
        payload: bytes = b"",
    ) -> None:
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.acknowledgment = acknowledgment
        self.flags = flags
        self.window = window
        self.options = options
        self.payload = payload

    @property
    def length(self) -> int:
        """Sequence numbers the segment occupies: SEG.LEN of RFC 9293, with SYN and FIN counting one each."""
        return len(self.payload) + (self.flags & FIN) + ((self.flags & SYN) >> 1)


def parse(packet: bytes, *, checksum_known: bool = False) -> Segment:
    """Parse an IPv4 or IPv6 `packet` (from its version byte on) that holds a whole TCP segment.

    Bytes past the packet's own length (link padding) are ignored, IPv4 options and IPv6 extension headers
    are read over. Unless `checksum_known` (an offload vouches for it or has yet to fill it in), a wrong TCP
    checksum is refused. Raises MalformedPacket.
    """
    if len(packet) < _IPV4.size + _TCP.size:
        raise MalformedPacket(f"{len(packet)} bytes are too short for IP and TCP")
    start, total, source, destination = _read_ipv6(packet) if packet[0] >> 4 == 6 else _read_ipv4(packet)
    if not start + _TCP.size <= total <= len(packet):
        raise MalformedPacket(f"total length {total} in {len(packet)} bytes")
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
    # As Endpoint(...) does, which takes twice the time as it is interpreted.
    sender = tuple.__new__(Endpoint, (source, sport))
    receiver = tuple.__new__(Endpoint, (destination, dport))
    return Segment(sender, receiver, seq, ack, flags, window, decoded, packet[data:total])


def _read_ipv4(packet: bytes) -> tuple[int, int, bytes, bytes]:
    """Where the TCP header starts and the packet ends, and the packed addresses."""
    version_ihl, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    start = (version_ihl & 15) * 4
    if version_ihl >> 4 != IPV4.version or start < IPV4.length or protocol != PROTOCOL or fragment & 0x3FFF:
        raise MalformedPacket("not an unfragmented IPv4 packet with TCP")
    return start, total, source, destination


def _read_ipv6(packet: bytes) -> tuple[int, int, bytes, bytes]:
    """The same for IPv6."""
    _, length, _, _, source, destination = _IPV6.unpack_from(packet)
    total = IPV6.length + length
    payload = ipv6_payload(packet, total)
    if payload is None or payload.protocol != PROTOCOL or payload.is_fragment:
        raise MalformedPacket("not an unfragmented IPv6 packet with TCP")
    return payload.start, total, source, destination


def build(segment: Segment) -> bytes:
    """The packet for `segment`, of the version of its addresses.

    IPv4 with DF set, TTL 64 and identification 0 as RFC 6864 allows, IPv6 with hop limit 64 and flow label 0.

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
    ip = (_ipv4_header if len(source) == IPV4.address_length else _ipv6_header)(source, destination, len(tcp))
    return b"".join((ip, tcp[:CHECKSUM_OFFSET], checksum.to_bytes(2, "big"), tcp[CHECKSUM_OFFSET + 2 :]))


def _ipv4_header(source: bytes, destination: bytes, length: int) -> bytes:
    ip = _IPV4.pack(0x45, 0, IPV4.length + length, 0, _DONT_FRAGMENT, _DEFAULT_TTL, PROTOCOL, 0, source, destination)
    return ip[:10] + internet_checksum(ip).to_bytes(2, "big") + ip[12:]


def _ipv6_header(source: bytes, destination: bytes, length: int) -> bytes:
    return _IPV6.pack(_VERSION_6, length, PROTOCOL, _DEFAULT_TTL, source, destination)
