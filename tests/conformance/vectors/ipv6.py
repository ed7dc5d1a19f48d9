"""Packets of IPv6: what is whose, extension headers and fragments, translation, closing, injection."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action, InjectFlags
from fastpath.interface import Closed
from fastpath.records import Direction, Drop, Reason
from fastpath.verdict import Dropped, Punted, Sent
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, ROUTING
from tests.conformance.packets import ACK, FIN, IPV4, IPV6, PSH, RST, SYN, Tcp, arriving, cpu_frame, nops
from tests.conformance.packets import sack as sack_option
from tests.conformance.packets import timestamps as timestamps_option
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.ipv6_model import (
    CLIENT6,
    DOWN6,
    DOWN6_LEFT,
    FAR_SERVER6,
    PLAIN6,
    RULES6,
    SERVER6,
    SNAT6,
    SNATTED6,
    STRANGER6,
    TO_NOWHERE6,
    UP6,
    UP6_LEFT,
    VIP6,
    dropped,
    extension,
    fragment,
    passed,
    passed_frame,
    punted,
    to_client,
    to_server,
)
from tests.conformance.vectors.model import (
    CLIENT,
    DELTA,
    TIMESTAMP_DELTA,
    UP,
    VIP,
    Arrival,
    Counted,
    Injection,
    Stimulus,
    Vector,
)

_TCP, _UDP, _ICMPV6 = 6, 17, 58
_NEW = Tcp(source=STRANGER6, destination=VIP6)
"""A packet to the listener from a client that has no splice."""
_PACKET = UP6.packet()
_LARGEST = 2**32 - 1


def _both(name: str, **fields: object) -> tuple[Vector, Vector]:
    """One vector in each direction, in which `fields` must not change."""
    return (
        to_server(name, _with(UP6, fields), _with(UP6_LEFT, fields)),
        to_client(name, _with(DOWN6, fields), _with(DOWN6_LEFT, fields)),
    )


def _with(packet: Tcp, fields: dict[str, object]) -> Tcp:
    return replace(packet, **fields)  # type: ignore[arg-type]


def _behind(packet: Tcp, *kinds: int, following: int = _TCP, length: int = 8) -> Tcp:
    """`packet` behind extension headers of `kinds`, the last of which says that `following` comes next."""
    chain = (*kinds, following)
    headers = b"".join(
        fragment(after) if kind == FRAGMENT else extension(after, length)
        for kind, after in zip(kinds, chain[1:], strict=True)
    )
    return replace(packet, protocol=chain[0], ip_options=headers)


def _mapped(endpoint: Endpoint) -> Endpoint:
    return Endpoint(bytes(10) + b"\xff\xff" + endpoint.address, endpoint.port)


_MAPPED = _mapped(CLIENT)


def _with_byte(endpoint: Endpoint, position: int) -> Endpoint:
    """`endpoint` with another byte at `position` of its address."""
    address = bytearray(endpoint.address)
    address[position] ^= 0x80
    return Endpoint(bytes(address), endpoint.port)


_PASSED = (
    passed_frame("one byte", arriving(_PACKET[:1], CLIENT_PORT, IPV6)),
    passed_frame("39 bytes", arriving(_PACKET[:39], CLIENT_PORT, IPV6)),
    passed_frame("cut short within the TCP header", arriving(_PACKET[:50], CLIENT_PORT, IPV6)),
    passed_frame("cut short by one byte", arriving(_PACKET[:-1], CLIENT_PORT, IPV6)),
    passed_frame("under IPv4's EtherType", arriving(_PACKET, CLIENT_PORT, IPV4)),
    passed("version 4 under IPv6's EtherType", replace(UP6, version=4)),
    passed("payload length past the frame", replace(UP6, total_length=61)),
    passed("payload length 0", replace(UP6, total_length=40)),
    passed("payload length ends within the ports", replace(UP6, total_length=43)),
    passed("UDP with the ports of a splice", replace(UP6, protocol=_UDP)),
    passed("ICMPv6 to the VIP", replace(UP6, protocol=_ICMPV6)),
    passed("no next header", replace(UP6, protocol=59)),
    passed("an authentication header", replace(UP6, protocol=51)),
    passed("another port of the VIP", replace(_NEW, destination=Endpoint(VIP6.address, 81))),
    passed("the client straight to the server", replace(UP6, destination=SERVER6)),
    passed("an address that differs in its first byte", replace(DOWN6, source=_with_byte(SERVER6, 0)), SERVER_PORT),
    passed("an address that differs in its last byte", replace(DOWN6, source=_with_byte(SERVER6, 15)), SERVER_PORT),
    passed_frame("version 5 under IPv4's EtherType", arriving(replace(UP, version=5).packet(), CLIENT_PORT)),
    passed("an IPv4-mapped listener", replace(_NEW, destination=_mapped(VIP))),
    passed("the IPv4-mapped addresses of a splice", replace(UP, source=_mapped(CLIENT), destination=_mapped(VIP))),
    passed("an IPv4-mapped source", replace(_NEW, source=_MAPPED)),
    passed("an IPv4-mapped destination", replace(DOWN6, destination=_MAPPED), SERVER_PORT),
    passed("a fragment to a spliced client", _behind(DOWN6, FRAGMENT), SERVER_PORT),
    passed("a fragment of UDP to the VIP", _behind(UP6, FRAGMENT, following=_UDP)),
    passed("a fragment with another extension header to the VIP", _behind(UP6, FRAGMENT, DESTINATION_OPTIONS)),
    passed("UDP behind an extension header", _behind(UP6, HOP_BY_HOP, following=_UDP)),
    passed("five extension headers", _behind(UP6, HOP_BY_HOP, *[DESTINATION_OPTIONS] * 4)),
    passed("an extension header past the payload length", replace(_behind(UP6, HOP_BY_HOP), total_length=47)),
    passed(
        "an extension header that says to be longer than the packet",
        replace(UP6, protocol=HOP_BY_HOP, ip_options=bytes((_TCP, 200)) + bytes(6)),
    ),
    passed("nothing behind an extension header", replace(_behind(UP6, ROUTING), total_length=48)),
)

_PUNTED = (
    punted("to the listener", Reason.SYN, replace(_NEW, flags=SYN, acknowledgment=0)),
    punted("with data", Reason.SYN, replace(_NEW, flags=SYN, payload=b"early")),
    punted("behind an extension header", Reason.SYN, _behind(replace(_NEW, flags=SYN), DESTINATION_OPTIONS)),
    punted("of a spliced client", Reason.SYN, replace(UP6, flags=SYN)),
    punted("a SYN-ACK of a spliced server", Reason.SYN, replace(DOWN6, flags=SYN | ACK), SERVER_PORT),
    punted("an ACK to the listener", Reason.MISS, _NEW),
    punted("traffic class and flow label stay", Reason.MISS, replace(_NEW, tos=0xBB, flow_label=0xABCDE)),
    punted("link padding stays", Reason.MISS, replace(_NEW, padding=b"pad")),
    punted("behind four extension headers", Reason.MISS, _behind(_NEW, HOP_BY_HOP, *[DESTINATION_OPTIONS] * 3)),
    punted("to the VIP", Reason.FRAGMENT, _behind(UP6, FRAGMENT)),
    punted("behind another extension header", Reason.FRAGMENT, _behind(UP6, HOP_BY_HOP, FRAGMENT)),
    punted(
        "a later one to the VIP",
        Reason.FRAGMENT,
        replace(UP6, protocol=FRAGMENT, ip_options=fragment(_TCP, offset=180, more=0)),
    ),
    punted("hop-by-hop options", Reason.OPTIONS, _behind(UP6, HOP_BY_HOP)),
    punted("destination options", Reason.OPTIONS, _behind(DOWN6, DESTINATION_OPTIONS), SERVER_PORT),
    punted("a routing header", Reason.OPTIONS, _behind(UP6, ROUTING)),
    punted("three extension headers", Reason.OPTIONS, _behind(UP6, HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING)),
    punted("a long extension header", Reason.OPTIONS, _behind(UP6, DESTINATION_OPTIONS, length=264)),
    punted("malformed TCP options", Reason.OPTIONS, replace(UP6, options=b"\x08\0\0\0")),
    punted("past it", Reason.PIVOT, replace(UP6, sequence=4000, payload=b"next"), splice=replace(PLAIN6, pivot=4000)),
    to_server(
        "up to the pivot",
        replace(UP6, sequence=3998, payload=b"ab"),
        replace(UP6_LEFT, sequence=3998, payload=b"ab"),
        replace(PLAIN6, pivot=4000),
    ),
)

_DROPPED = (
    dropped("data offset 4", Drop.MALFORMED, replace(UP6, data_offset=4)),
    dropped("data offset past the end", Drop.MALFORMED, replace(UP6, data_offset=6)),
    dropped("to the listener", Drop.MALFORMED, replace(_NEW, data_offset=4)),
    dropped("behind an extension header", Drop.MALFORMED, _behind(replace(UP6, data_offset=6), ROUTING)),
    dropped("hop limit 1", Drop.TTL, replace(UP6, ttl=1)),
    dropped("hop limit 0 toward the client", Drop.TTL, replace(DOWN6, ttl=0), SERVER_PORT),
    dropped("to a far server", Drop.NO_ROUTE, replace(UP6, source=TO_NOWHERE6.flow.client)),
)

_LINUX = nops(2) + timestamps_option(1000, 2000)
_LINUX_SACK = _LINUX + nops(2) + sack_option(500, 600, 700, 800)


def _sacked(edges: int) -> bytes:
    """_LINUX_SACK as it leaves for the server, its edges moved by -`edges`."""
    moved = [(edge - edges) % 2**32 for edge in (500, 600, 700, 800)]
    return nops(2) + timestamps_option(1000, (2000 - TIMESTAMP_DELTA) % 2**32) + nops(2) + sack_option(*moved)


_TRANSLATED = (
    *_both("a bare ACK"),
    *_both("an even payload", payload=b"GET / HTTP/1.0\r\n\r\n", flags=ACK | PSH),
    *_both("an odd payload", payload=b"odd", flags=ACK | PSH),
    *_both("a large payload", payload=bytes(range(256)) * 5 + b"x" * 160),
    *_both("traffic class and flow label stay", tos=0xBB, flow_label=0xFEDCB),
    *_both("link padding stays", padding=b"\xde\xad"),
    *_both("a TCP checksum that is off by one stays so", tcp_error=1),
    *_both("a TCP checksum that is off by 0x8000 stays so", tcp_error=0x8000, payload=b"corrupt"),
    *_both("a FIN", flags=ACK | FIN),
    to_server("hop limit 255", replace(UP6, ttl=255), replace(UP6_LEFT, ttl=254)),
    to_client("hop limit 2 leaves as 1", replace(DOWN6, ttl=2), replace(DOWN6_LEFT, ttl=1)),
    to_server("timestamps and SACK", replace(UP6, options=_LINUX_SACK), replace(UP6_LEFT, options=_sacked(DELTA))),
    to_client(
        "timestamps",
        replace(DOWN6, options=_LINUX),
        replace(DOWN6_LEFT, options=nops(2) + timestamps_option(1000 + TIMESTAMP_DELTA, 2000)),
    ),
    to_server(
        "delta 0xffffffff",
        replace(UP6, acknowledgment=_LARGEST),
        replace(UP6_LEFT, acknowledgment=0),
        replace(PLAIN6, delta=_LARGEST),
    ),
    to_server(
        "SNAT",
        replace(UP6, source=SNATTED6.flow.client, payload=b"GET"),
        replace(UP6_LEFT, source=SNAT6, payload=b"GET"),
        SNATTED6,
    ),
    to_client(
        "SNAT",
        replace(DOWN6, destination=SNAT6, payload=b"HTTP"),
        replace(DOWN6_LEFT, destination=SNATTED6.flow.client, payload=b"HTTP"),
        SNATTED6,
    ),
)

_FIN_UP, _FIN_DOWN = replace(UP6, flags=ACK | FIN), replace(DOWN6, flags=ACK | FIN)


def _closing(name: str, last: Vector, *before: Stimulus, reset: bool) -> Vector:
    by = Direction.TO_SERVER if reset else None
    return replace(last, name=f"IPv6, closing: {name}", before=before, closed=(Closed(PLAIN6.flow, reset, by),))


_CLOSING = (
    _closing(
        "a reset", to_server("", replace(UP6, flags=RST), replace(UP6_LEFT, flags=RST, acknowledgment=2000)), reset=True
    ),
    _closing(
        "both FINs acknowledged",
        to_server(
            "",
            replace(UP6, sequence=1001, acknowledgment=1001 + DELTA),
            replace(UP6_LEFT, sequence=1001, acknowledgment=1001),
        ),
        Arrival(CLIENT_PORT, _FIN_UP.arriving(CLIENT_PORT)),
        Arrival(SERVER_PORT, replace(_FIN_DOWN, acknowledgment=1001).arriving(SERVER_PORT)),
        reset=False,
    ),
)

_SPARE_PORT = 0xFFFF
_OWN = Tcp(source=VIP6, destination=SERVER6, flags=SYN)


def _injection(name: str, frame: bytes, verdict: Sent | Dropped, counted: Counted | None = None) -> Vector:
    return Vector(f"IPv6, injected: {name}", Injection(frame), verdict, counted, rules=RULES6)


_REPLY = replace(_OWN, source=SERVER6, destination=Endpoint(VIP6.address, 40555), flags=SYN | ACK)
_PROBE = replace(_OWN, source=Endpoint(VIP6.address, 40555))


def _awaited(name: str, packet: Tcp, *, expected: bool) -> Vector:
    base = passed("", packet, SERVER_PORT)
    before = (Injection(_PROBE.injected(Action.ROUTE, _SPARE_PORT, InjectFlags.EXPECT_REPLY)),)
    verdict = Punted(Reason.MISS, packet.punted(Reason.MISS, SERVER_PORT)) if expected else base.verdict
    return replace(base, name=f"IPv6, expected: {name}", before=before, verdict=verdict)


_INJECTED = (
    _injection(
        "to translate",
        UP6.injected(Action.TRANSLATE, CLIENT_PORT),
        Sent(SERVER_PORT, UP6_LEFT.leaving(SERVER_PORT)),
        Counted(7, Direction.TO_SERVER, 60),
    ),
    _injection("to translate, of no splice", _NEW.injected(Action.TRANSLATE, CLIENT_PORT), Dropped(Drop.STALE)),
    _injection("to route", _OWN.injected(Action.ROUTE, _SPARE_PORT), Sent(SERVER_PORT, _OWN.leaving(SERVER_PORT))),
    _injection(
        "to route, nowhere",
        replace(_OWN, destination=FAR_SERVER6).injected(Action.ROUTE, _SPARE_PORT),
        Dropped(Drop.NO_ROUTE),
    ),
    _injection(
        "to route, 39 bytes",
        cpu_frame(Action.ROUTE, _SPARE_PORT, _OWN.packet()[:39], ether_type=IPV6),
        Dropped(Drop.NO_ROUTE),
    ),
    _awaited("the reply", _REPLY, expected=True),
    _awaited("the reply to another port", replace(_REPLY, destination=Endpoint(VIP6.address, 40556)), expected=False),
    _awaited("a fragment of the reply", _behind(replace(_REPLY, destination=CLIENT6), FRAGMENT), expected=False),
)

VECTORS = (*_PASSED, *_PUNTED, *_DROPPED, *_TRANSLATED, *_CLOSING, *_INJECTED)
