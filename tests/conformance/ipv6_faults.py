"""Seeded faults in what IPv6 adds to the reference; the vectors with IPv6 must find every one."""

from __future__ import annotations

from tests.conformance.faults import seeded_into

_ip = seeded_into("slowpath.wire.ip")
_packet = seeded_into("fastpath.packet")
_profile = seeded_into("fastpath.profile")
_reference = seeded_into("fastpath.reference")
_rewrite = seeded_into("fastpath.rewrite")

IPV6_FAULTS = (
    _ip("three extension headers at most", "MAX_EXTENSION_HEADERS = 4", "MAX_EXTENSION_HEADERS = 3"),
    _ip("any number of extension headers", "MAX_EXTENSION_HEADERS = 4", "MAX_EXTENSION_HEADERS = 40"),
    _ip("an extension header's length taken for 8", "(packet[start + 1] + 1) * _UNIT", "_UNIT"),
    _ip("routing headers not read over", "{HOP_BY_HOP, ROUTING, FRAGMENT,", "{HOP_BY_HOP, FRAGMENT,"),
    _ip("looks behind a Fragment header", "is_fragment=True)", "is_fragment=False)"),
    _packet("IPv4-mapped sources let in", "if is_mapped(data[IPV6.source]) or", "if"),
    _packet("payload length taken for the total length", "end = IPV6.length + int", "end = int"),
    _profile(
        "IPv6 under IPv4's EtherType", "if packet is not None and packet.family is family", "if packet is not None"
    ),
    _reference("the EtherType stays", 'family.ether_type.to_bytes(2, "big") + data', 'b"\\x08\\0" + data'),
    _rewrite(
        "hop limit kept in IPv6 made of IPv4",
        "tcp.PROTOCOL, packet.ttl - 1, addresses[:16]",
        "tcp.PROTOCOL, packet.ttl, addresses[:16]",
    ),
    _rewrite("traffic class not taken to IPv4", "0x45, traffic_class, length", "0x45, 0, length"),
    _rewrite("TOS not taken to IPv6", "6 << 28 | packet.data[1] << 20", "6 << 28"),
    _rewrite("flow label in the traffic class", '"big") >> 4 & 0xFF', '"big") & 0xFF'),
    _rewrite("fragments of what was IPv6", "_DONT_FRAGMENT = 0x4000", "_DONT_FRAGMENT = 0"),
    _rewrite("IPv4 made without a checksum", "out[_IP_CHECKSUM] = internet_checksum(out)", "out[_IP_CHECKSUM] = (0)"),
    _rewrite(
        "total length without its header",
        "length = IPV4.length + packet.end - packet.start",
        "length = packet.end - packet.start",
    ),
    _rewrite("addresses of half their length", "addresses[:16], addresses[16:]", "addresses[:16], addresses[:16]"),
    _rewrite("where a converted packet ends", "end=packet.end + len(head) - start", "end=packet.end"),
)
