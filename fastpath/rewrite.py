"""The rewrite of one packet: the reference for every target, and what the slow path applies to `options` punts.

Design section 2 in full: TTL, addresses, ports, SEQ, ACK, SACK edges, timestamps, and both checksums
incrementally (RFC 1624), so that a packet that arrives corrupt leaves corrupt.
"""

from __future__ import annotations

from fastpath.packet import Packet
from fastpath.records import Translation
from slowpath.wire import options, sequence, tcp
from slowpath.wire.checksum import updated
from slowpath.wire.tcp import MalformedPacket

_IP_CHECKSUM_OFFSET = 10


def translate(data: bytes, translation: Translation) -> bytes:
    """The packet `data` (IPv4, from its version byte on) as `translation` makes it leave.

    IPv4 options stay as they are, TCP options are found in any order and at any alignment. The result
    is exactly as long as `data`: what follows the total length (link padding) is kept. That the packet
    matches the translation and is no fragment is for the caller to have decided. Raises MalformedPacket
    for what is not IPv4 with a whole TCP header and well-formed options, or has a TTL of 1 or less.
    """
    packet = Packet.locate(data)
    if packet is None or packet.malformed:
        raise MalformedPacket(f"no whole IPv4 and TCP headers in {len(data)} bytes")
    if packet.ttl <= 1:
        raise MalformedPacket(f"TTL {packet.ttl} is used up")
    try:
        return rewritten(packet, translation)
    except options.MalformedOptions as error:
        raise MalformedPacket(str(error)) from None


def rewritten(packet: Packet, translation: Translation) -> bytes:
    """The same for a packet whose headers have been found to be whole; raises MalformedOptions."""
    data, start = packet.data, packet.start
    out = bytearray(data)
    out[8] = packet.ttl - 1
    (out[12:16], source_port), (out[16:20], destination_port) = translation.becomes
    out[start : start + 2] = source_port.to_bytes(2, "big")
    out[start + 2 : start + 4] = destination_port.to_bytes(2, "big")
    acknowledges = bool(packet.flags & tcp.ACK)
    _add(out, start + 4, translation.sequence)
    if acknowledges:
        _add(out, start + 8, translation.acknowledgment)
    for kind, offset, length in packet.options():
        if kind == options.SACK:
            for edge in range(offset + 2, offset + length, 4):
                _add(out, edge, translation.acknowledgment)
        elif kind == options.TIMESTAMPS:
            _add(out, offset + 2, translation.tsval)
            if acknowledges:
                _add(out, offset + 6, translation.tsecr)
    header, new = slice(start, packet.payload_start), bytes(out)
    _update_checksum(out, _IP_CHECKSUM_OFFSET, data[:start], new[:start])
    _update_checksum(out, start + tcp.CHECKSUM_OFFSET, data[12:20] + data[header], new[12:20] + new[header])
    return bytes(out)


def _add(out: bytearray, offset: int, delta: int) -> None:
    """Add `delta` modulo 2^32 to the big-endian number of four bytes at `offset`."""
    field = slice(offset, offset + 4)
    out[field] = sequence.add(int.from_bytes(out[field], "big"), delta).to_bytes(4, "big")


def _update_checksum(out: bytearray, offset: int, old: bytes, new: bytes) -> None:
    """Bring the checksum at `offset` from `old` to `new`, which may hold it: as the same in both, it cancels out."""
    field = slice(offset, offset + 2)
    out[field] = updated(int.from_bytes(out[field], "big"), old, new).to_bytes(2, "big")
