"""The rewrite of one packet: the reference for every target, and what the slow path applies to `options` punts.

Design section 2 in full: TTL, addresses, ports, SEQ, ACK, SACK edges, timestamps, and both checksums
incrementally (RFC 1624), so that a packet that arrives corrupt leaves corrupt. Where the addresses are of
the other IP version the IP header is made anew (RFC 7915 sections 4.1 and 5.1).
"""

from __future__ import annotations

import struct
from dataclasses import replace

from fastpath.packet import Packet
from fastpath.records import Translation
from slowpath.wire import options, sequence, tcp
from slowpath.wire.checksum import internet_checksum, updated
from slowpath.wire.ip import IPV4, IPV6, family_of
from slowpath.wire.tcp import MalformedPacket

_IP_CHECKSUM = slice(10, 12)
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_DONT_FRAGMENT = 0x4000
_LONGEST = 0xFFFF


def translate(data: bytes, translation: Translation) -> bytes:
    """The packet `data` (IP, from its version byte on) as `translation` makes it leave.

    TCP options are found in any order and at any alignment. IPv4 options and IPv6 extension headers stay as
    they are, except that none are carried over to the other IP version. What follows the packet's own length
    (link padding) is kept. That the packet matches the translation and is no fragment is for the caller to
    have decided. Raises MalformedPacket for what is not IP with a whole TCP header and well-formed options,
    has a TTL of 1 or less, or would be too long.
    """
    packet = Packet.locate(data)
    if packet is None or packet.malformed:
        raise MalformedPacket(f"no whole IP and TCP headers in {len(data)} bytes")
    if packet.ttl <= 1:
        raise MalformedPacket(f"TTL {packet.ttl} is used up")
    if outgrows(packet, translation):
        raise MalformedPacket(f"{packet.end - packet.start} bytes of TCP do not fit an IPv4 packet")
    try:
        return rewritten(packet, translation).data
    except options.MalformedOptions as error:
        raise MalformedPacket(str(error)) from None


def outgrows(packet: Packet, translation: Translation) -> bool:
    """Whether a packet would leave as an IPv4 packet of more than 65535 bytes."""
    becomes_ipv4 = family_of(translation.becomes.destination.address) is IPV4
    return becomes_ipv4 and packet.family is IPV6 and IPV4.length + packet.end - packet.start > _LONGEST


def rewritten(packet: Packet, translation: Translation) -> Packet:
    """The same for a packet whose headers have been found to be whole and to fit; raises MalformedOptions."""
    data, start, family = packet.data, packet.start, packet.family
    leaves_as = family_of(translation.becomes.destination.address)
    old = data[start : packet.payload_start]
    new = _tcp_header(packet, translation)
    addresses = b"".join(endpoint.address for endpoint in translation.becomes)
    _update_checksum(new, tcp.CHECKSUM_OFFSET, data[family.addresses] + old, addresses + bytes(new))
    head = _ip_header(packet, addresses) if leaves_as is family else _CONVERTED[leaves_as.version](packet, addresses)
    out = b"".join((head, new, data[packet.payload_start :]))
    return replace(packet, data=out, family=leaves_as, start=len(head), end=packet.end + len(head) - start)


def _tcp_header(packet: Packet, translation: Translation) -> bytearray:
    """The TCP header with its options, translated but for the checksum."""
    out = bytearray(packet.data[packet.start : packet.payload_start])
    (_, source_port), (_, destination_port) = translation.becomes
    out[0:2] = source_port.to_bytes(2, "big")
    out[2:4] = destination_port.to_bytes(2, "big")
    acknowledges = bool(packet.flags & tcp.ACK)
    _add(out, 4, translation.sequence)
    if acknowledges:
        _add(out, 8, translation.acknowledgment)
    for kind, where, length in packet.options():
        offset = where - packet.start
        if kind == options.SACK:
            for edge in range(offset + 2, offset + length, 4):
                _add(out, edge, translation.acknowledgment)
        elif kind == options.TIMESTAMPS:
            _add(out, offset + 2, translation.tsval)
            if acknowledges:
                _add(out, offset + 6, translation.tsecr)
    return out


def _ip_header(packet: Packet, addresses: bytes) -> bytes:
    """The IP header with other addresses of its version."""
    family, old = packet.family, packet.data[: packet.start]
    out = bytearray(old)
    out[family.hop_limit] = packet.ttl - 1
    out[family.addresses] = addresses
    if family is IPV4:
        _update_checksum(out, _IP_CHECKSUM.start, old, bytes(out))
    return bytes(out)


def _to_ipv4(packet: Packet, addresses: bytes) -> bytes:
    """The IPv4 header for an IPv6 packet; the flow label is lost."""
    traffic_class = int.from_bytes(packet.data[0:2], "big") >> 4 & 0xFF
    length = IPV4.length + packet.end - packet.start
    source, destination = addresses[:4], addresses[4:]
    out = bytearray(
        _IPV4.pack(0x45, traffic_class, length, 0, _DONT_FRAGMENT, packet.ttl - 1, tcp.PROTOCOL, 0, source, destination)
    )
    out[_IP_CHECKSUM] = internet_checksum(out).to_bytes(2, "big")
    return bytes(out)


def _to_ipv6(packet: Packet, addresses: bytes) -> bytes:
    """The IPv6 header for an IPv4 packet; flow label 0."""
    first = 6 << 28 | packet.data[1] << 20
    length = packet.end - packet.start
    return _IPV6.pack(first, length, tcp.PROTOCOL, packet.ttl - 1, addresses[:16], addresses[16:])


_CONVERTED = {IPV4.version: _to_ipv4, IPV6.version: _to_ipv6}


def _add(out: bytearray, offset: int, delta: int) -> None:
    """Add `delta` modulo 2^32 to the big-endian number of four bytes at `offset`."""
    field = slice(offset, offset + 4)
    out[field] = sequence.add(int.from_bytes(out[field], "big"), delta).to_bytes(4, "big")


def _update_checksum(out: bytearray, offset: int, old: bytes, new: bytes) -> None:
    """Bring the checksum at `offset` from `old` to `new`, which may hold it: as the same in both, it cancels out."""
    field = slice(offset, offset + 2)
    out[field] = updated(int.from_bytes(out[field], "big"), old, new).to_bytes(2, "big")
