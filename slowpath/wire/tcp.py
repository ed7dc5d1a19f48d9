"""One TCP segment in its IP packet: bytes to values and back (RFC 9293 section 3.1, RFC 791, RFC 8200)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from slowpath.wire import options as tcp_options
from slowpath.wire.checksum import fold, ones_complement_sum, pseudo_header_sum
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

_IPV4: Final = struct.Struct("!BxHxxHxBxx4s4s")
_TCP: Final = struct.Struct("!HHIIBBHxxxx")
"""What is read of both headers."""
_IPV4_TCP: Final = struct.Struct("!BBHHHBBH4s4sHHIIBBHHH")
"""Both as a whole, without options."""
_IPV6: Final = struct.Struct("!IHBB16s16s")
_TCP_WHOLE: Final = struct.Struct("!HHIIBBHHH")
_IPV4_LENGTH: Final = IPV4.length
_IPV4_ADDRESS: Final = IPV4.address_length
_VERSION_4: Final = 4
_FRAGMENTED: Final = 0x3FFF
"""MF, and the offset of a fragment."""
_TCP_LENGTH: Final = 20
_LEAST: Final = _IPV4_LENGTH + _TCP_LENGTH
_NEW: Final = tuple.__new__
_DEFAULT_TTL: Final = 64
_VERSION_6: Final = 6 << 28
_DONT_FRAGMENT: Final = 0x4000
_PLAIN: Final = 0x45
"""The first byte of an IPv4 header without options."""
_FIXED_SUM: Final = (_PLAIN << 8) + _DONT_FRAGMENT + (_DEFAULT_TTL << 8) + PROTOCOL
"""What those words of an IPv4 header sum up to that are the same in all that we build."""


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
    if len(packet) < _LEAST:
        raise MalformedPacket(f"{len(packet)} bytes are too short for IP and TCP")
    start, total, source, destination = _read_ipv6(packet) if packet[0] >> 4 == 6 else _read_ipv4(packet)
    if not start + _TCP_LENGTH <= total <= len(packet):
        raise MalformedPacket(f"total length {total} in {len(packet)} bytes")
    sport, dport, seq, ack, offset, flags, window = _TCP.unpack_from(packet, start)
    data = start + (offset >> 4) * 4
    if not start + _TCP_LENGTH <= data <= total:
        raise MalformedPacket(f"TCP data offset {offset >> 4}")
    if not checksum_known:
        pseudo = pseudo_header_sum(source, destination, PROTOCOL, total - start)
        if fold(ones_complement_sum(packet[start:total]) + pseudo) != 0xFFFF:
            raise MalformedPacket("wrong TCP checksum")
    try:
        decoded = tcp_options.decode(packet[start + _TCP_LENGTH : data])
    except tcp_options.MalformedOptions as error:
        raise MalformedPacket(str(error)) from None
    # As Endpoint(...) does, which takes twice the time as it is interpreted.
    sender, receiver = _NEW(Endpoint, (source, sport)), _NEW(Endpoint, (destination, dport))
    return Segment(sender, receiver, seq, ack, flags, window, decoded, packet[data:total])


def _read_ipv4(packet: bytes) -> tuple[int, int, bytes, bytes]:
    """Where the TCP header starts and the packet ends, and the packed addresses."""
    version_ihl, total, fragment, protocol, source, destination = _IPV4.unpack_from(packet)
    start = (version_ihl & 15) * 4
    if version_ihl >> 4 != _VERSION_4 or start < _IPV4_LENGTH or protocol != PROTOCOL or fragment & _FRAGMENTED:
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
    source, sport = segment.source[0], segment.source[1]
    destination, dport = segment.destination[0], segment.destination[1]
    sequence, ack, flags, window = segment.sequence, segment.acknowledgment, segment.flags, segment.window
    rest = segment.options.encode()
    offset = (_TCP_LENGTH + len(rest)) << 2
    if segment.payload:
        rest += segment.payload
    length = _TCP_LENGTH + len(rest)
    addresses = pseudo_header_sum(source, destination, 0, 0)
    numbers = (sequence >> 16) + (sequence & 0xFFFF) + (ack >> 16) + (ack & 0xFFFF)
    total = addresses + PROTOCOL + length + sport + dport + numbers + (offset << 8) + flags + window
    checksum = fold(total + ones_complement_sum(rest)) ^ 0xFFFF
    if len(source) != _IPV4_ADDRESS:
        ip = _IPV6.pack(_VERSION_6, length, PROTOCOL, _DEFAULT_TTL, source, destination)
        tcp = _TCP_WHOLE.pack(sport, dport, sequence, ack, offset, flags, window, checksum, 0)
        return b"".join((ip, tcp, rest))
    length += _IPV4_LENGTH
    header = fold(_FIXED_SUM + length + addresses) ^ 0xFFFF
    return (
        _IPV4_TCP.pack(
            _PLAIN,
            0,
            length,
            0,
            _DONT_FRAGMENT,
            _DEFAULT_TTL,
            PROTOCOL,
            header,
            source,
            destination,
            sport,
            dport,
            sequence,
            ack,
            offset,
            flags,
            window,
            checksum,
            0,
        )
        + rest
    )
