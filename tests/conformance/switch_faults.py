"""Seeded faults in what the reference does as a switch, every one of which the vectors for switches must find."""

from __future__ import annotations

from tests.conformance.faults import Fault, seeded_into

_profile = seeded_into("fastpath.profile")
_layouts = seeded_into("fastpath.layouts")
_tunnel = seeded_into("fastpath.tunnel")


def _row(condition: str, decision: str) -> str:
    return f"        ({condition}, {decision}),\n"


def _swapped(name: str, first: str, second: str) -> Fault:
    """Two neighbouring rows of the profile in the wrong order."""
    return _profile(name, first + second, second + first)


_ARP = _row("_broadcast_arp", "Reason.ARP")
_ADDRESS = _row("_not_for_us", "Drop.ADDRESS")
_ICMP = _row("_on_packet(lambda packet: packet.protocol == _ICMP)", "Unmatched(Reason.ICMP)")
_NOT_TCP = _row("_on_packet(lambda packet: packet.protocol != tcp.PROTOCOL)", "Unmatched(Reason.MISS)")
_FRAGMENT = _row("_on_packet(lambda packet: packet.is_fragment)", "Unmatched(Reason.FRAGMENT)")
_IP_OPTIONS = _row("_on_packet(lambda packet: packet.has_ip_options)", "Unmatched(Reason.OPTIONS)")
_CUT = _row("_on_packet(_cut_short)", "Unmatched(Reason.MISS)")
_LAYOUT = _row("_unknown_layout", "Reason.OPTIONS")
_PIVOT = _row("_any_pivot", "Reason.PIVOT")

_SCREENS = (
    _profile("frames for others taken", _ADDRESS, ""),
    _profile("access lists kept", "access=False", "access=True"),
    _profile("broadcast ARP dropped", _ARP, ""),
    _profile(
        "every broadcast punted as ARP",
        "arrival.ether_type == _ARP and arrival.frame[:6] == _BR",
        "arrival.frame[:6] == _BR",
    ),
    _profile(
        "ARP for others punted",
        "arrival.ether_type == _ARP and arrival.frame[:6] == _BROADCAST",
        "arrival.ether_type == _ARP",
    ),
    _profile("any port's address is ours", "!= tables.addresses.get(arrival.port)", "not in tables.addresses.values()"),
    _profile(
        "half of the address compared",
        "arrival.frame[:6] != tables.addresses.get(arrival.port)",
        "arrival.frame[3:5] != tables.addresses[arrival.port][3:5]",
    ),
    _profile(
        "injected frames checked for their address",
        "return not arrival.injected and arrival.frame[:6] !=",
        "return arrival.frame[:6] !=",
    ),
    _profile("ARP to us taken for a miss", "Unmatched(Reason.ARP)", "Unmatched(Reason.MISS)"),
    _profile("ICMP taken for a miss", _ICMP, ""),
    _swapped("fragments before ICMP", _ICMP + _NOT_TCP, _FRAGMENT),
    _swapped("fragments before protocols", _NOT_TCP, _FRAGMENT),
    _swapped("IPv4 options before fragments", _FRAGMENT, _IP_OPTIONS),
    _profile("fragments not looked at", _FRAGMENT, ""),
    _profile("fragments of a VIP alone", _FRAGMENT, _row("_fragment_to_vip", "Reason.FRAGMENT")),
    _profile("IPv4 options translated", _IP_OPTIONS, ""),
    _profile("injected IPv4 options punted back", "Unmatched(Reason.OPTIONS)", "Reason.OPTIONS"),
    _profile("frames that end early not looked at", _CUT, ""),
    _profile("the fixed TCP header alone must be there", " or _layout(packet) is Recognition.CUT_SHORT", ""),
    _profile(
        "19 bytes of TCP are enough",
        "len(packet.data) < packet.start + _TCP_LENGTH",
        "len(packet.data) < packet.start + 19",
    ),
    _profile(
        "total length held against the frame", "{IPV4.ether_type: Packet.unbounded}", "{IPV4.ether_type: Packet.locate}"
    ),
)

_SPLICED = (
    _profile("unknown layouts translated", _LAYOUT, ""),
    _profile("only malformed options punted", _LAYOUT, _row("_bad_options", "Reason.OPTIONS")),
    _swapped("the pivot before the options", _LAYOUT, _PIVOT),
    _profile("no pivot", _PIVOT, ""),
    _profile("the exact pivot", _PIVOT, _row("_past_pivot", "Reason.PIVOT")),
    _profile(
        "pivot 0 taken for none", "return entry.splice.pivot is not None and", "return bool(entry.splice.pivot) and"
    ),
    _profile("padding does not count", "counted=lambda packet: len(packet.data)", "counted=lambda packet: packet.end"),
    _profile("FINs must be acknowledged", "closing=SwitchClosing", "closing=Closing"),
    _profile("timestamps translated", "timestamps=False", "timestamps=True"),
    Fault("one FIN is enough", "fastpath.closing", "all(self._passed)", "any(self._passed)"),
    Fault(
        "FINs of both sides are one",
        "fastpath.closing",
        "self._passed[direction] = True",
        "self._passed[0] = self._passed[1] = True",
    ),
    Fault(
        "FINs are for the other side", "fastpath.closing", "self._passed[direction] = True", "self._passed[0] = True"
    ),
    Fault("reported again and again", "fastpath.closing", "self._reported |= causes", "pass"),
)

_OPTIONS = (
    _layouts("SACK of four blocks unknown", "range(1, 5)", "range(1, 4)"),
    _layouts("SACK of one block unknown", "range(1, 5)", "range(2, 5)"),
    _layouts("SACK behind timestamps unknown", "    *((_TIMESTAMPS, sack) for sack in _SACKS[:3]),\n", ""),
    _layouts("SACK of three blocks behind timestamps unknown", "_SACKS[:3]", "_SACKS[:2]"),
    _layouts("timestamps unknown", "    (_TIMESTAMPS,),\n", ""),
    _layouts(
        "timestamps and anything", "layout[0][0] == word", "layout[0][0][:3] == word[:3] or layout[0] == _TIMESTAMPS"
    ),
    _layouts("the length of SACK not looked at", "layout[0][0] == word", "layout[0][0][:3] == word[:3]"),
    _layouts("the NOPs not looked at", "layout[0][0] == word", "layout[0][0][2:] == word[2:]"),
    _layouts(
        "the second NOP not looked at",
        "layout[0][0] == word",
        "layout[0][0][0] == word[0] and layout[0][0][2:] == word[2:]",
    ),
    _layouts(
        "the data offset not looked at",
        "sum(size for _, size in layout) == length",
        "0 < sum(size for _, size in layout) <= length",
    ),
    _layouts(
        "the first word need not be there",
        "if len(data) < offset + _WORD:",
        "if offset and len(data) < offset + _WORD:",
    ),
    _layouts("one byte less of an option", "if len(data) < offset:", "if len(data) < offset - 1:"),
    _layouts(
        "no more than the words are read",
        "        if len(data) < offset:\n            return Recognition.CUT_SHORT\n",
        "",
    ),
)

_TUNNELS = (
    _tunnel("outer length without the outer header", "(length + _IPV4_LENGTH)", "length"),
    _tunnel(
        "outer length does not wrap",
        "total = (length + _IPV4_LENGTH) & 0xFFFF",
        "total = min(length + _IPV4_LENGTH, 0xFFFF)",
    ),
    _tunnel("UDP length does not wrap", "length & 0xFFFF, 0, _VNI", "min(length, 0xFFFF), 0, _VNI"),
    _tunnel(
        "UDP length without VXLAN", "_UDP_LENGTH, _IPV4_LENGTH = 14, 16, 20", "_UDP_LENGTH, _IPV4_LENGTH = 14, 8, 28"
    ),
    _tunnel("padding counted in the outer length", 'int.from_bytes(packet[2:4], "big")', "len(packet)"),
    _tunnel("padding cut off", "_ETHERTYPE, packet))", '_ETHERTYPE, packet[: int.from_bytes(packet[2:4], "big")]))'),
    _tunnel("DF not set", "_DF, _TTL, _UDP = 0x4000", "_DF, _TTL, _UDP = 0"),
    _tunnel("TTL 63", "0x4000, 64, 17", "0x4000, 63, 17"),
    _tunnel("the inner DSCP", "_IPV4.pack(0x45, 0,", "_IPV4.pack(0x45, packet[1],"),
    _tunnel("outer addresses swapped", "tunnel.source, tunnel.destination)", "tunnel.destination, tunnel.source)"),
    _tunnel("outer checksum left out", 'internet_checksum(head).to_bytes(2, "big")', "bytes(2)"),
    _tunnel("VNI in the wrong place", "tunnel.vni << 8", "tunnel.vni"),
    _tunnel("VNI not marked as valid", "_VNI_IS_VALID = 0x0800_0000", "_VNI_IS_VALID = 0"),
    _tunnel("the old UDP port", "PORT = 4789", "PORT = 8472"),
    _tunnel("a UDP source port that is not dynamic", "_DYNAMIC_PORTS = 0xC000", "_DYNAMIC_PORTS = 0x8000"),
    _tunnel(
        "inner addresses swapped",
        "tunnel.destination_mac, tunnel.source_mac",
        "tunnel.source_mac, tunnel.destination_mac",
    ),
    Fault("tunnels not taken", "fastpath.reference", "if hop.tunnel is not None:", "if False:"),
)

SWITCH_FAULTS = (*_SCREENS, *_SPLICED, *_OPTIONS, *_TUNNELS)
