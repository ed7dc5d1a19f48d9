"""VXLAN (RFC 7348): a packet into a tunnel, its inner and outer headers."""

from __future__ import annotations

import struct
import zlib

from fastpath.frame import ETHERTYPE_IPV4
from fastpath.records import Vxlan
from slowpath.wire.checksum import internet_checksum

PORT = 4789
"""The UDP destination port (RFC 7348 section 5)."""
LARGEST_ENTROPY = 0x3FFF
"""The hash that is added to the UDP source port has 14 bits, so that the port is a dynamic one."""

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP_AND_VXLAN = struct.Struct("!HHHHII")
_ETHERTYPE = ETHERTYPE_IPV4.to_bytes(2, "big")
_DYNAMIC_PORTS = 0xC000
_DF, _TTL, _UDP = 0x4000, 64, 17
_VNI_IS_VALID = 0x0800_0000
_INNER_ETHERNET, _UDP_LENGTH, _IPV4_LENGTH = 14, 16, 20


def encapsulated(tunnel: Vxlan, packet: bytes) -> bytes:
    """The outer IPv4 packet with `packet` (IPv4, from its version byte on) in it.

    The outer lengths follow from the total length in `packet`, modulo 2^16; what `packet` has beyond
    that (link padding) stays behind it. There is no UDP checksum (RFC 7348 section 5, RFC 768).
    """
    length = int.from_bytes(packet[2:4], "big") + _INNER_ETHERNET + _UDP_LENGTH
    total = (length + _IPV4_LENGTH) & 0xFFFF
    head = _IPV4.pack(0x45, 0, total, 0, _DF, _TTL, _UDP, 0, tunnel.source, tunnel.destination)
    head = head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]
    source_port = _DYNAMIC_PORTS + (zlib.crc32(packet[12:20]) & LARGEST_ENTROPY)
    vxlan = _UDP_AND_VXLAN.pack(source_port, PORT, length & 0xFFFF, 0, _VNI_IS_VALID, tunnel.vni << 8)
    return b"".join((head, vxlan, tunnel.destination_mac, tunnel.source_mac, _ETHERTYPE, packet))
