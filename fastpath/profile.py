"""In what the kinds of targets differ: the decisions of docs/fastpath.md as rows; the first that holds decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastpath.closing import Closing, SwitchClosing, Watch
from fastpath.frame import ETHERNET_LENGTH
from fastpath.layouts import Recognition, recognise
from fastpath.lookup import Arrival, Entry, Tables
from fastpath.packet import Packet
from fastpath.records import Direction, Drop, Pivot, Reason, Tuple4
from fastpath.rewrite import outgrows
from slowpath.wire import options, sequence, tcp
from slowpath.wire.icmp import parse as parse_icmp
from slowpath.wire.icmp import quoted
from slowpath.wire.ip import IPV4, IPV6, Family

_BROADCAST = b"\xff" * 6
_ARP = (0x0806).to_bytes(2, "big")
_ICMP = 1
_TCP_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The decision about a packet that is nobody's: dropped as stale if it was injected, else punted or passed."""

    reason: Reason | None = None
    """Why it is punted; None where it passes."""


Screen = Callable[[Tables, Arrival], bool]
"""Whether a frame meets a condition before its 4-tuple is looked up."""
Check = Callable[[Arrival, Packet, Entry], bool]
"""Whether a packet meets a condition, seen with how it arrived and the entry that it matches."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of target. The rows of `screens` are steps 3 and 4, those of `spliced` step 5."""

    screens: tuple[tuple[Screen, Drop | Reason | Unmatched], ...]
    """A frame that meets none is a TCP packet whose 4-tuple is looked up."""
    spliced: tuple[tuple[Check, Drop | Reason], ...]
    """A packet with an entry that meets none is translated."""
    unmatched: Unmatched
    """Step 8."""
    locate: Mapping[int, Callable[[bytes], Packet | None]]
    """How the packet is found behind an Ethernet header, by EtherType; a frame with another one is no IP packet."""
    counted: Callable[[Packet], int]
    """The bytes that a translated packet counts with, as it arrived."""
    closing: Callable[[], Watch]
    """What watches a new splice for its end."""
    timestamps: bool
    pivot: Pivot
    access: bool
    """Whether it keeps the access lists of listeners, or leaves that to the slow path."""
    mtu: bool
    """Whether it looks at the length of what leaves."""


def _fragment_to_vip(tables: Tables, arrival: Arrival) -> bool:
    packet = arrival.packet
    return packet is not None and packet.is_fragment and packet.destination_address in tables.vips


def _error_about_ours(tables: Tables, arrival: Arrival) -> bool:
    """Whether it is an ICMP error about a packet of which the answer would be ours."""
    data = arrival.frame[ETHERNET_LENGTH:]
    error = None if arrival.injected else parse_icmp(data, checksum_known=True)
    if error is None or int.from_bytes(arrival.ether_type, "big") != error.family.ether_type:
        return False
    found = quoted(error)
    if found is None:
        return False
    answer = Tuple4(found.destination, found.source)
    return answer in tables.entries or answer.destination in tables.listeners or answer in tables.expected


def _not_for_us(tables: Tables, arrival: Arrival) -> bool:
    return not arrival.injected and arrival.frame[:6] != tables.addresses.get(arrival.port)


def _broadcast_arp(tables: Tables, arrival: Arrival) -> bool:
    return not arrival.injected and arrival.ether_type == _ARP and arrival.frame[:6] == _BROADCAST


def _on_packet(condition: Callable[[Packet], bool]) -> Screen:
    """A screen that looks at the packet alone."""
    return lambda _tables, arrival: arrival.packet is not None and condition(arrival.packet)


def _layout(packet: Packet) -> Recognition:
    start = packet.start + _TCP_LENGTH
    return recognise(packet.payload_start - start, packet.data[start:])


def _cut_short(packet: Packet) -> bool:
    return len(packet.data) < packet.start + _TCP_LENGTH or _layout(packet) is Recognition.CUT_SHORT


def _bad_options(_arrival: Arrival, packet: Packet, _entry: Entry) -> bool:
    try:
        packet.options()
    except options.MalformedOptions:
        return True
    return packet.has_ip_options


def _from_client(arrival: Arrival, packet: Packet, entry: Entry) -> bool:
    """Whether a packet is one that a pivot may stop."""
    toward_server = entry.translation.direction == Direction.TO_SERVER
    return toward_server and not arrival.injected and packet.payload_length > 0


def _past_pivot(arrival: Arrival, packet: Packet, entry: Entry) -> bool:
    pivot = entry.splice.pivot
    if pivot is None or not _from_client(arrival, packet, entry):
        return False
    return sequence.after(sequence.add(packet.sequence, packet.payload_length), pivot)


def _any_pivot(arrival: Arrival, packet: Packet, entry: Entry) -> bool:
    return entry.splice.pivot is not None and _from_client(arrival, packet, entry)


def _server_ends(arrival: Arrival, packet: Packet, entry: Entry) -> bool:
    if arrival.injected or entry.splice.pivot is None or entry.translation.direction != Direction.TO_CLIENT:
        return False
    return packet.flags & (tcp.FIN | tcp.RST) == tcp.FIN and packet.payload_length == 0


def _malformed(_arrival: Arrival, packet: Packet, _entry: Entry) -> bool:
    return packet.malformed


def _opens(_arrival: Arrival, packet: Packet, _entry: Entry) -> bool:
    return bool(packet.flags & tcp.SYN)


def _unknown_layout(_arrival: Arrival, packet: Packet, _entry: Entry) -> bool:
    return _layout(packet) is Recognition.UNKNOWN


def _expires(_arrival: Arrival, packet: Packet, _entry: Entry) -> bool:
    return packet.ttl <= 1


def _outgrows(_arrival: Arrival, packet: Packet, entry: Entry) -> bool:
    return outgrows(packet, entry.translation)


def _located(family: Family) -> Callable[[bytes], Packet | None]:
    """What finds the packets of one version alone."""

    def locate(data: bytes) -> Packet | None:
        packet = Packet.locate(data)
        return packet if packet is not None and packet.family is family else None

    return locate


HOST = Profile(
    screens=(
        (_error_about_ours, Reason.ICMP),
        (lambda _tables, arrival: arrival.packet is None, Unmatched()),
        (_fragment_to_vip, Reason.FRAGMENT),
        (_on_packet(lambda packet: packet.is_fragment), Unmatched()),
        (_on_packet(lambda packet: not packet.has_ports), Unmatched()),
    ),
    spliced=(
        (_malformed, Drop.MALFORMED),
        (_opens, Reason.SYN),
        (_bad_options, Reason.OPTIONS),
        (_outgrows, Reason.OPTIONS),
        (_past_pivot, Reason.PIVOT),
        (_server_ends, Reason.FIN),
        (_expires, Drop.TTL),
    ),
    unmatched=Unmatched(),
    locate={IPV4.ether_type: _located(IPV4), IPV6.ether_type: _located(IPV6)},
    counted=lambda packet: packet.end,
    closing=Closing,
    timestamps=True,
    pivot=Pivot.EXACT,
    access=True,
    mtu=True,
)
"""A kernel is underneath, and everything is known about a frame."""

SWITCH = Profile(
    screens=(
        (_broadcast_arp, Reason.ARP),
        (_not_for_us, Drop.ADDRESS),
        (lambda _tables, arrival: arrival.ether_type == _ARP, Unmatched(Reason.ARP)),
        (lambda _tables, arrival: arrival.packet is None, Unmatched(Reason.MISS)),
        (_on_packet(lambda packet: packet.protocol == _ICMP), Unmatched(Reason.ICMP)),
        (_on_packet(lambda packet: packet.protocol != tcp.PROTOCOL), Unmatched(Reason.MISS)),
        (_on_packet(lambda packet: packet.is_fragment), Unmatched(Reason.FRAGMENT)),
        (_on_packet(lambda packet: packet.has_ip_options), Unmatched(Reason.OPTIONS)),
        (_on_packet(_cut_short), Unmatched(Reason.MISS)),
    ),
    spliced=(
        (_malformed, Drop.MALFORMED),
        (_opens, Reason.SYN),
        (_unknown_layout, Reason.OPTIONS),
        (_any_pivot, Reason.PIVOT),
        (_expires, Drop.TTL),
    ),
    unmatched=Unmatched(Reason.MISS),
    locate={IPV4.ether_type: Packet.unbounded},
    counted=lambda packet: len(packet.data),
    closing=SwitchClosing,
    timestamps=False,
    pivot=Pivot.BIT,
    access=False,
    mtu=False,
)
"""docs/fastpath.md, On a switch."""
