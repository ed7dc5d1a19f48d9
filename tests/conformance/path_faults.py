"""Seeded faults in what the reference makes of ICMP errors and of packets that are too long."""

from __future__ import annotations

from tests.conformance.faults import seeded_into

_icmp = seeded_into("slowpath.wire.icmp")
_profile = seeded_into("fastpath.profile")
_reference = seeded_into("fastpath.reference")

PATH_FAULTS = (
    _profile("ICMP errors passed", "        (_error_about_ours, Reason.ICMP),\n", ""),
    _profile("errors about what others sent", "Tuple4(found.destination, found.source)", "Tuple4(found[0], found[1])"),
    _profile("errors about splices passed", "answer in tables.entries or ", ""),
    _profile("errors about listeners' packets passed", "answer.destination in tables.listeners or ", ""),
    _profile("errors about probes passed", " or answer in tables.expected", ""),
    _profile("injected errors punted back", "None if arrival.injected else parse_icmp", "parse_icmp"),
    _profile("checksums of errors looked at", "checksum_known=True", "checksum_known=False"),
    _profile(
        "errors under any EtherType",
        " or int.from_bytes(arrival.ether_type",
        " or 0 and int.from_bytes(arrival.ether_type",
    ),
    _icmp(
        "time exceeded passed",
        "frozenset({DESTINATION_UNREACHABLE, TIME_EXCEEDED,",
        "frozenset({DESTINATION_UNREACHABLE,",
    ),
    _icmp("seven bytes of TCP are enough", "LEAST_QUOTED = 8", "LEAST_QUOTED = 7"),
    _icmp("nine bytes of TCP wanted", "LEAST_QUOTED = 8", "LEAST_QUOTED = 9"),
    _icmp("fragments of errors read", " and not fragment & _FRAGMENT else None", " else None"),
    _icmp(
        "first fragments alone taken for errors",
        "_FRAGMENT, _FRAGMENT_OFFSET = 0x3FFF, 0x1FFF",
        "_FRAGMENT, _FRAGMENT_OFFSET = 0x1FFF, 0x1FFF",
    ),
    _icmp("later fragments taken for the packet", "if offset or quote[9]", "if quote[9]"),
    _icmp("first fragments not taken for the packet", "0x3FFF, 0x1FFF", "0x3FFF, 0x3FFF"),
    _icmp("UDP taken for TCP", "quote[9] != tcp.PROTOCOL or ", ""),
    _icmp("UDP taken for TCP in IPv6", "elif quote[6] != tcp.PROTOCOL:", "elif False:"),
    _icmp("quotes with IPv4 options misread", "else (quote[0] & 15) * 4", "else 20"),
    _icmp("outer IPv4 options misread", "start = (version_ihl & 15) * 4", "start = 20"),
    _icmp("quotes of the other version", " or quote[0] >> 4 != family.version", ""),
    _icmp("padding taken for the quote", "body = packet[start:end]", "body = packet[start:]"),
    _icmp("errors cut short", "<= end <= len(packet)", "<= end"),
    _reference("too long by one byte sent", "packet.end <= hop.mtu", "packet.end <= hop.mtu + 1"),
    _reference("as long as it may be punted", "packet.end <= hop.mtu", "packet.end < hop.mtu"),
    _reference("padding counts", "packet.end <= hop.mtu", "len(packet.data) <= hop.mtu"),
    _reference("the length on arrival", "_exceeded(profile, hop, left)", "_exceeded(profile, hop, packet)"),
    _reference("the MTU not told", 'mtu.to_bytes(2, "big")', "bytes(2)"),
    _reference("our own packets sent whatever their length", "_exceeded(profile, hop, packet)", "None"),
)
