"""The reference decision: docs/fastpath.md as a pure function, step by step; other targets must equal it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace

from fastpath import frame as cpu
from fastpath.frame import Action, InjectFlags
from fastpath.packet import Packet
from fastpath.records import Direction, Drop, NextHop, Reason, Splice, Translation, Tuple4
from fastpath.rewrite import translate
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from slowpath.wire import options, sequence, tcp
from slowpath.wire.endpoint import Endpoint

_CPU = struct.Struct("!BBBHB")
_IPV4 = cpu.ETHERTYPE_IPV4.to_bytes(2, "big")
_IPV4_HEADER_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What a 4-tuple leads to: one direction of a splice."""

    translation: Translation
    splice: Splice


@dataclass(frozen=True, slots=True)
class Tables:
    """All that a decision depends on besides the frame."""

    listeners: Container[Endpoint]
    vips: Container[bytes]
    """The listeners' addresses."""
    entries: Mapping[Tuple4, Entry]
    expected: Container[Tuple4]
    routes: Sequence[NextHop]
    ports: Container[int]


@dataclass(frozen=True, slots=True)
class Translated:
    """A packet that was sent on through a splice."""

    entry: Entry
    arrived: Packet
    left: Packet


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and what it entails: a packet to count and to watch for its end, or a 4-tuple to expect."""

    verdict: Verdict
    translated: Translated | None = None
    reply: Tuple4 | None = None
    """Becomes expected, or is no longer if `reply_ends`."""
    reply_ends: bool = False


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An Ethernet frame and how it came."""

    frame: bytes
    port: int
    injected: bool

    @property
    def packet(self) -> Packet | None:
        """The packet in the frame, if it is IPv4 with TCP and whole."""
        is_ipv4 = self.frame[12 : cpu.ETHERNET_LENGTH] == _IPV4
        return Packet.locate(self.frame[cpu.ETHERNET_LENGTH :]) if is_ipv4 else None


_Check = Callable[[_Arrival, Packet, Entry], bool]
"""Whether a packet meets a condition, seen with how it arrived and the entry that it matches."""


def _bad_options(_arrival: _Arrival, packet: Packet, _entry: Entry) -> bool:
    try:
        packet.options()
    except options.MalformedOptions:
        return True
    return packet.has_ip_options


def _past_pivot(arrival: _Arrival, packet: Packet, entry: Entry) -> bool:
    pivot = entry.splice.pivot
    if arrival.injected or entry.translation.direction != Direction.TO_SERVER or pivot is None:
        return False
    end = sequence.add(packet.sequence, packet.payload_length)
    return packet.payload_length > 0 and sequence.after(end, pivot)


_SPLICED: tuple[tuple[_Check, Drop | Reason], ...] = (
    (lambda _arrival, packet, _entry: packet.malformed, Drop.MALFORMED),
    (lambda _arrival, packet, _entry: bool(packet.flags & tcp.SYN), Reason.SYN),
    (_bad_options, Reason.OPTIONS),
    (_past_pivot, Reason.PIVOT),
    (lambda _arrival, packet, _entry: packet.ttl <= 1, Drop.TTL),
)
"""Step 5: the first condition that a packet with an entry meets decides; one that meets none is translated."""


def received(tables: Tables, port: int, frame: bytes) -> Outcome:
    """What becomes of the Ethernet `frame` that arrives on `port`."""
    return _pipeline(tables, _Arrival(frame, port, injected=False))


def injected(tables: Tables, frame: bytes) -> Outcome:
    """What becomes of a `frame` from the slow path: Ethernet with the CPU header, no offload header in front."""
    if len(frame) < cpu.ETHERNET_LENGTH:
        return Outcome(Dropped(Drop.FRAME))
    lead, action, flags, port, marker = _CPU.unpack_from(frame)
    if (lead, marker) != (cpu.LEAD, cpu.MARKER):
        return Outcome(Dropped(Drop.FRAME))
    arrival = _Arrival(frame, port, injected=True)
    if action == Action.ROUTE:
        verdict = _forward(tables, frame)
        if not flags & InjectFlags.EXPECT_REPLY:
            return Outcome(verdict)
        return Outcome(verdict, reply=_reply(arrival), reply_ends=_is_reset(arrival))
    if action == Action.EMIT and port in tables.ports:
        return Outcome(Sent(port, frame[6:12] + frame[:6] + frame[12:]))
    if action == Action.TRANSLATE and port in tables.ports:
        return _pipeline(tables, arrival)
    return Outcome(Dropped(Drop.FRAME))


def _pipeline(tables: Tables, arrival: _Arrival) -> Outcome:
    """Steps 3 to 8."""
    packet = arrival.packet
    if packet is None:
        return Outcome(_unmatched(arrival))
    if packet.is_fragment:
        is_ours = packet.destination_address in tables.vips
        return Outcome(_decided(arrival, Reason.FRAGMENT) if is_ours else _unmatched(arrival))
    key = packet.tuple4
    if key is None:
        return Outcome(_unmatched(arrival))
    entry = tables.entries.get(key)
    if entry is not None:
        return _spliced(tables, arrival, packet, entry)
    if key.destination in tables.listeners:
        return Outcome(_listener(arrival, packet))
    if key in tables.expected and not arrival.injected:
        return Outcome(_decided(arrival, Reason.MISS))
    return Outcome(_unmatched(arrival))


def _spliced(tables: Tables, arrival: _Arrival, packet: Packet, entry: Entry) -> Outcome:
    for check, decision in _SPLICED:
        if check(arrival, packet, entry):
            return Outcome(_decided(arrival, decision))
    data = translate(packet.data, entry.translation)
    verdict = _forward(tables, arrival.frame[: cpu.ETHERNET_LENGTH] + data)
    translated = Translated(entry, packet, replace(packet, data=data))
    return Outcome(verdict, translated if isinstance(verdict, Sent) else None)


def _listener(arrival: _Arrival, packet: Packet) -> Verdict:
    if packet.malformed:
        return Dropped(Drop.MALFORMED)
    if arrival.injected:
        return Dropped(Drop.STALE)
    opens = packet.flags & (tcp.SYN | tcp.ACK) == tcp.SYN
    return _decided(arrival, Reason.SYN if opens else Reason.MISS)


def _unmatched(arrival: _Arrival) -> Verdict:
    return Dropped(Drop.STALE) if arrival.injected else Passed()


def _decided(arrival: _Arrival, decision: Drop | Reason) -> Verdict:
    if isinstance(decision, Drop):
        return Dropped(decision)
    head = _CPU.pack(cpu.LEAD, decision, 0, arrival.port, cpu.MARKER)
    return Punted(decision, head + arrival.frame[_CPU.size :])


def _forward(tables: Tables, frame: bytes) -> Verdict:
    """Step 9: send by the longest prefix that holds the packet's destination."""
    ether_type, data = frame[12 : cpu.ETHERNET_LENGTH], frame[cpu.ETHERNET_LENGTH :]
    if ether_type != _IPV4 or len(data) < _IPV4_HEADER_LENGTH:
        return Dropped(Drop.NO_ROUTE)
    destination = data[16:20]
    hops = [hop for hop in tables.routes if _holds(hop.network, destination)]
    if not hops:
        return Dropped(Drop.NO_ROUTE)
    hop = max(hops, key=lambda hop: hop.network[1])
    return Sent(hop.port, hop.destination_mac + hop.source_mac + ether_type + data)


def _holds(network: tuple[bytes, int], address: bytes) -> bool:
    prefix, length = network
    if len(prefix) != len(address):
        return False
    shift = len(address) * 8 - length
    return int.from_bytes(prefix, "big") >> shift == int.from_bytes(address, "big") >> shift


def _reply(arrival: _Arrival) -> Tuple4 | None:
    """The 4-tuple of the replies to a packet; None if it has none."""
    packet = arrival.packet
    key = None if packet is None or packet.is_fragment else packet.tuple4
    return key and Tuple4(key.destination, key.source)


def _is_reset(arrival: _Arrival) -> bool:
    packet = arrival.packet
    return packet is not None and not packet.malformed and bool(packet.flags & tcp.RST)
