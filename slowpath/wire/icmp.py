"""ICMP and ICMPv6 errors: bytes to values and back (RFC 792, RFC 1191, RFC 4443), with the packet that they quote."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from slowpath.wire import tcp
from slowpath.wire.checksum import fold, internet_checksum, ones_complement_sum, pseudo_header_sum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, IPV6, Family, family_of, is_mapped

PROTOCOL = {IPV4.version: 1, IPV6.version: 58}
"""What an IP header says of ICMP, by IP version."""

DESTINATION_UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 11, 12
"""ICMP's errors that are not deprecated."""
DESTINATION_UNREACHABLE6, PACKET_TOO_BIG6, TIME_EXCEEDED6, PARAMETER_PROBLEM6 = 1, 2, 3, 4
"""ICMPv6's."""
FRAGMENTATION_NEEDED = 4
"""A code of DESTINATION_UNREACHABLE."""

ERRORS = {
    IPV4.version: frozenset({DESTINATION_UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM}),
    IPV6.version: frozenset(
        {DESTINATION_UNREACHABLE6, PACKET_TOO_BIG6, TIME_EXCEEDED6, PARAMETER_PROBLEM6},
    ),
}
"""The types that are read, by IP version."""

LONGEST = {IPV4.version: 576, IPV6.version: 1280}
"""How long an error may be, in bytes with its IP header (RFC 1812 section 4.3.2.3, RFC 4443 section 3.1)."""

HEADER_LENGTH = 8
LEAST_QUOTED = 8
"""Bytes of TCP that every error has: ports and SEQ."""

_ICMP = struct.Struct("!BBHI")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_PORTS = struct.Struct("!HH")
_TTL = 64
_DONT_FRAGMENT = 0x4000
_FRAGMENT, _FRAGMENT_OFFSET = 0x3FFF, 0x1FFF


@dataclass(frozen=True, slots=True)
class Error:
    """An ICMP error from `source` to `destination`, packed addresses of one IP version.

    `parameter` is the four bytes behind the checksum as a number, whose meaning `type` and `code` decide: an MTU, a
    pointer, or nothing. `quote` is the beginning of the packet that it is about, and all that follows it.
    """

    source: bytes
    destination: bytes
    type: int
    code: int
    parameter: int
    quote: bytes

    @property
    def family(self) -> Family:
        """Its IP version, and that of the packet that it quotes."""
        return family_of(self.source)

    @property
    def mtu(self) -> int | None:
        """If the packet was too long for the next hop: what is not, in bytes, or 0 from routers before RFC 1191."""
        if self.family is IPV6:
            return self.parameter if self.type == PACKET_TOO_BIG6 else None
        too_long = (self.type, self.code) == (DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED)
        return self.parameter & 0xFFFF if too_long else None


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a quote shows of a TCP packet, as it was sent by whom the error is for."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    """SEG.SEQ."""
    start: int
    """Where its TCP header starts, in bytes."""


def too_long(source: bytes, packet: bytes, mtu: int) -> Error:
    """What `source` (packed, of the packet's IP version) tells the sender of `packet`, which exceeds `mtu` bytes."""
    family = IPV6 if packet[0] >> 4 == IPV6.version else IPV4
    kind = (PACKET_TOO_BIG6, 0) if family is IPV6 else (DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED)
    return Error(source, packet[family.source], *kind, mtu, packet)


def parse(packet: bytes, *, checksum_known: bool = False) -> Error | None:
    """Read an IP `packet` (from its version byte on) that is a whole ICMP error about a packet of its own version.

    None for anything else: other types, fragments, extension headers, fewer than eight bytes of ICMP, or a wrong
    checksum unless `checksum_known`. Bytes past the packet's own length (link padding) are ignored.
    """
    if len(packet) < IPV4.length:
        return None
    found = _ipv6_extent(packet) if packet[0] >> 4 == IPV6.version else _ipv4_extent(packet)
    if found is None:
        return None
    family, start, end = found
    if not start + HEADER_LENGTH <= end <= len(packet):
        return None
    kind, code, _, parameter = _ICMP.unpack_from(packet, start)
    source, destination = packet[family.source], packet[family.destination]
    if kind not in ERRORS[family.version]:
        return None
    body = packet[start:end]
    if not checksum_known and fold(ones_complement_sum(body) + _pseudo(source, destination, len(body))) != 0xFFFF:
        return None
    return Error(source, destination, kind, code, parameter, body[HEADER_LENGTH:])


def _ipv4_extent(packet: bytes) -> tuple[Family, int, int] | None:
    """Where ICMP starts and ends."""
    version_ihl, _, total, _, fragment, _, protocol, _, _, _ = _IPV4.unpack_from(packet)
    start = (version_ihl & 15) * 4
    if version_ihl >> 4 != IPV4.version or start < IPV4.length:
        return None
    return (IPV4, start, total) if protocol == PROTOCOL[IPV4.version] and not fragment & _FRAGMENT else None


def _ipv6_extent(packet: bytes) -> tuple[Family, int, int] | None:
    """The same for IPv6, directly behind the fixed header."""
    if len(packet) < IPV6.length or packet[6] != PROTOCOL[IPV6.version]:
        return None
    if is_mapped(packet[IPV6.source]) or is_mapped(packet[IPV6.destination]):
        return None
    return IPV6, IPV6.length, IPV6.length + int.from_bytes(packet[4:6], "big")


def quoted(error: Error) -> Quoted | None:
    """The TCP packet that an error is about; None if it is none, or shows less than LEAST_QUOTED bytes of TCP.

    The first fragment of a packet is as good as the packet. IPv6 extension headers are not looked behind: none of
    the packets that leave a balancer have any.
    """
    quote, family = error.quote, error.family
    if len(quote) < family.length + LEAST_QUOTED or quote[0] >> 4 != family.version:
        return None
    start = IPV6.length if family is IPV6 else (quote[0] & 15) * 4
    if family is IPV4:
        offset = int.from_bytes(quote[6:8], "big") & _FRAGMENT_OFFSET
        if offset or quote[9] != tcp.PROTOCOL or start < IPV4.length or len(quote) < start + LEAST_QUOTED:
            return None
    elif quote[6] != tcp.PROTOCOL:
        return None
    source, destination = _PORTS.unpack_from(quote, start)
    sequence = int.from_bytes(quote[start + 4 : start + 8], "big")
    return Quoted(
        Endpoint(quote[family.source], source), Endpoint(quote[family.destination], destination), sequence, start
    )


def build(error: Error) -> bytes:
    """The packet for an error, with as much of its quote as LONGEST allows; TTL or hop limit 64."""
    family = error.family
    room = LONGEST[family.version] - family.length - HEADER_LENGTH
    body = _ICMP.pack(error.type, error.code, 0, error.parameter) + error.quote[:room]
    checksum = internet_checksum(body, _pseudo(error.source, error.destination, len(body)))
    header = (_ipv6_header if family is IPV6 else _ipv4_header)(error.source, error.destination, len(body))
    return b"".join((header, body[:2], checksum.to_bytes(2, "big"), body[4:]))


def _pseudo(source: bytes, destination: bytes, length: int) -> int:
    """What the checksum covers besides the message: nothing in ICMP (RFC 792), a pseudo-header in ICMPv6."""
    if family_of(source) is IPV4:
        return 0
    return pseudo_header_sum(source, destination, PROTOCOL[IPV6.version], length)


def _ipv4_header(source: bytes, destination: bytes, length: int) -> bytes:
    total, protocol = IPV4.length + length, PROTOCOL[IPV4.version]
    ip = _IPV4.pack(0x45, 0, total, 0, _DONT_FRAGMENT, _TTL, protocol, 0, source, destination)
    return ip[:10] + internet_checksum(ip).to_bytes(2, "big") + ip[12:]


def _ipv6_header(source: bytes, destination: bytes, length: int) -> bytes:
    return _IPV6.pack(IPV6.version << 28, length, PROTOCOL[IPV6.version], _TTL, source, destination)
