"""The reference decision: docs/fastpath.md as a pure function, step by step; other targets must equal it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from fastpath import frame as cpu
from fastpath.frame import Action, InjectFlags
from fastpath.lookup import Arrival, Entry, Tables
from fastpath.packet import Packet
from fastpath.profile import HOST, Profile, Unmatched
from fastpath.records import HEAD_LIMIT, Drop, Followed, Listener, NextHop, Precedent, Reason, Splice, Tuple4
from fastpath.rewrite import rewritten
from fastpath.tunnel import encapsulated
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from slowpath.wire import sequence, tcp
from slowpath.wire.ip import IPV4, IPV6, Family

_CPU = struct.Struct("!BBBHB")
_FIRST_PORT = 0
"""On which packets that are injected to be routed are looked at."""
_DATA_FLAGS = tcp.PSH | tcp.ECE | tcp.CWR
"""What a packet with data may have besides ACK."""
_FAMILIES = {family.ether_type: family for family in (IPV4, IPV6)}


@dataclass(frozen=True, slots=True)
class Translated:
    """A packet that was sent on through a splice."""

    entry: Entry
    arrived: Packet
    left: Packet


@dataclass(frozen=True, slots=True)
class Follow:
    """A request that follows a precedent: the pivot moves behind it, whatever becomes of the packet then."""

    splice: Splice
    precedent: Precedent
    followed: Followed


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and what it entails: a packet to count and to watch for its end, or a 4-tuple to expect."""

    verdict: Verdict
    translated: Translated | None = None
    reply: Tuple4 | None = None
    """Becomes expected, or is no longer if `reply_ends`."""
    reply_ends: bool = False
    follow: Follow | None = None


def received(tables: Tables, port: int, frame: bytes, profile: Profile = HOST) -> Outcome:
    """What becomes of the Ethernet `frame` that arrives on `port`."""
    return _pipeline(profile, tables, _arrival(profile, frame, port, injected=False))


def injected(tables: Tables, frame: bytes, profile: Profile = HOST) -> Outcome:
    """What becomes of a `frame` from the slow path: Ethernet with the CPU header, no offload header in front."""
    if len(frame) < cpu.ETHERNET_LENGTH:
        return Outcome(Dropped(Drop.FRAME))
    lead, action, flags, port, marker = _CPU.unpack_from(frame)
    if (lead, marker) != (cpu.LEAD, cpu.MARKER):
        return Outcome(Dropped(Drop.FRAME))
    arrival = _arrival(profile, frame, port, injected=True)
    if action == Action.ROUTE:
        verdict = _route(profile, tables, arrival)
        if not flags & InjectFlags.EXPECT_REPLY:
            return Outcome(verdict)
        return Outcome(verdict, reply=_reply(arrival), reply_ends=_is_reset(arrival))
    if action == Action.EMIT and port in tables.ports:
        return Outcome(Sent(port, frame[6:12] + frame[:6] + frame[12:]))
    if action == Action.TRANSLATE and port in tables.ports:
        return _pipeline(profile, tables, arrival)
    return Outcome(Dropped(Drop.FRAME))


def _arrival(profile: Profile, frame: bytes, port: int, *, injected: bool) -> Arrival:
    locate = profile.locate.get(_ether_type(frame))
    return Arrival(frame, port, injected, locate(frame[cpu.ETHERNET_LENGTH :]) if locate is not None else None)


def _pipeline(profile: Profile, tables: Tables, arrival: Arrival) -> Outcome:
    """Steps 3 to 8."""
    for screen, decision in profile.screens:
        if screen(tables, arrival):
            return Outcome(_decided(arrival, decision))
    packet = arrival.packet
    assert packet is not None, "a profile screens what is no TCP packet"
    key = packet.tuple4
    entry = tables.entries.get(key)
    if entry is not None:
        return _spliced(profile, tables, arrival, packet, entry)
    listener = tables.listeners.get(key.destination)
    if listener is not None:
        return Outcome(_listener(profile, arrival, packet, listener))
    if key in tables.expected and not arrival.injected:
        return Outcome(_decided(arrival, Reason.MISS))
    return Outcome(_decided(arrival, profile.unmatched))


def _spliced(profile: Profile, tables: Tables, arrival: Arrival, packet: Packet, entry: Entry) -> Outcome:
    follow: Follow | None = None
    for check, decision in profile.spliced:
        if not check(arrival, packet, entry):
            continue
        if decision is Reason.PIVOT and (follow := _follow(tables, packet, entry)):
            continue
        return Outcome(_decided(arrival, decision), follow=follow)
    left = rewritten(packet, entry.translation)
    hop = _next_hop(tables, left.family, left.data)
    if (mtu := _exceeded(profile, hop, left)) is not None:
        return Outcome(_too_long(arrival, mtu), follow=follow)
    verdict = _forward(hop, left.family, left.data)
    translated = Translated(entry, packet, left)
    return Outcome(verdict, translated if isinstance(verdict, Sent) else None, follow=follow)


def _follow(tables: Tables, packet: Packet, entry: Entry) -> Follow | None:
    """What it entails that a packet past the pivot follows a precedent; None if it does not."""
    splice, followed = entry.splice, entry.followed
    if not splice.follows_precedents or entry.ending or packet.payload_length > HEAD_LIMIT:
        return None
    if packet.sequence != splice.pivot or packet.flags & ~_DATA_FLAGS != tcp.ACK:
        return None
    if followed is not None and not _has_progressed(packet, followed):
        return None
    precedent = tables.precedents.get((splice.flow.vip, splice.server, splice.server_id, packet.payload))
    if precedent is None:
        return None
    end = sequence.add(packet.sequence, packet.payload_length)
    return Follow(splice, precedent, Followed(end, packet.sequence, packet.acknowledgment))


def _has_progressed(packet: Packet, followed: Followed) -> bool:
    """Whether the client has got something since the last request that followed one: else that is unanswered."""
    return followed.response_start is None or sequence.after(packet.acknowledgment, followed.response_start)


def _listener(profile: Profile, arrival: Arrival, packet: Packet, listener: Listener) -> Verdict:
    if packet.malformed:
        return Dropped(Drop.MALFORMED)
    if arrival.injected:
        return Dropped(Drop.STALE)
    if profile.access and listener.access is not None and not listener.access.permits(packet.source_address):
        return Dropped(Drop.DENIED)
    opens = packet.flags & (tcp.SYN | tcp.ACK) == tcp.SYN
    return _decided(arrival, Reason.SYN if opens else Reason.MISS)


def _decided(arrival: Arrival, decision: Drop | Reason | Unmatched) -> Verdict:
    if isinstance(decision, Unmatched):
        if arrival.injected:
            return Dropped(Drop.STALE)
        if decision.reason is None:
            return Passed()
        decision = decision.reason
    if isinstance(decision, Drop):
        return Dropped(decision)
    head = _CPU.pack(cpu.LEAD, decision, 0, arrival.port, cpu.MARKER)
    return Punted(decision, head + arrival.frame[_CPU.size :])


def _route(profile: Profile, tables: Tables, arrival: Arrival) -> Verdict:
    """Step 9 for a packet that is sent as it is; what is not IP, or ends within its fixed header, has no route."""
    ether_type, data = _ether_type(arrival.frame), arrival.frame[cpu.ETHERNET_LENGTH :]
    family = _FAMILIES.get(ether_type) if ether_type in profile.locate else None
    if family is None or len(data) < family.length:
        return Dropped(Drop.NO_ROUTE)
    hop, packet = _next_hop(tables, family, data), arrival.packet
    if packet is not None and not packet.is_fragment and not packet.malformed:
        mtu = _exceeded(profile, hop, packet)
        if mtu is not None:
            return _too_long(replace(arrival, port=_FIRST_PORT), mtu)
    return _forward(hop, family, data)


def _exceeded(profile: Profile, hop: NextHop | None, packet: Packet) -> int | None:
    """The MTU of a next hop, if the packet is longer."""
    if not profile.mtu or hop is None or hop.mtu is None or packet.end <= hop.mtu:
        return None
    return hop.mtu


def _too_long(arrival: Arrival, mtu: int) -> Verdict:
    head = _CPU.pack(cpu.LEAD, Reason.MTU, 0, arrival.port, cpu.MARKER) + mtu.to_bytes(2, "big")
    return Punted(Reason.MTU, head + arrival.frame[len(head) :])


def _ether_type(frame: bytes) -> int:
    return int.from_bytes(frame[12 : cpu.ETHERNET_LENGTH], "big")


def _next_hop(tables: Tables, family: Family, data: bytes) -> NextHop | None:
    """By the longest prefix that holds the packet's destination."""
    destination = data[family.destination]
    hops = [hop for hop in tables.routes if _holds(hop.network, destination)]
    return max(hops, key=lambda hop: hop.network[1], default=None)


def _forward(hop: NextHop | None, family: Family, data: bytes) -> Verdict:
    """Step 9."""
    if hop is None:
        return Dropped(Drop.NO_ROUTE)
    if hop.tunnel is not None:
        data = encapsulated(hop.tunnel, data)
    return Sent(hop.port, hop.destination_mac + hop.source_mac + family.ether_type.to_bytes(2, "big") + data)


def _holds(network: tuple[bytes, int], address: bytes) -> bool:
    prefix, length = network
    if len(prefix) != len(address):
        return False
    shift = len(address) * 8 - length
    return int.from_bytes(prefix, "big") >> shift == int.from_bytes(address, "big") >> shift


def _reply(arrival: Arrival) -> Tuple4 | None:
    """The 4-tuple of the replies to a packet; None if it has none."""
    packet = arrival.packet
    if packet is None or packet.is_fragment or not packet.has_ports:
        return None
    key = packet.tuple4
    return Tuple4(key.destination, key.source)


def _is_reset(arrival: Arrival) -> bool:
    packet = arrival.packet
    return packet is not None and not packet.malformed and bool(packet.flags & tcp.RST)
