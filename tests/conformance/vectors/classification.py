"""Whose a packet is: passed, malformed, fragments, listeners, spliced SYNs, pivots, TTL and routes."""

from __future__ import annotations

from dataclasses import replace

from fastpath.records import Drop, Listener, Reason, Splice
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, ARP, FIN, IPV6, PSH, RST, SYN, VLAN, Tcp, arriving, nops
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DOWN,
    FAR_CLIENT,
    FROM_NOWHERE,
    PLAIN,
    RULES,
    SERVER,
    STRANGER,
    TO_NOWHERE,
    UP,
    UP_LEFT,
    VIP,
    Vector,
    dropped,
    passed,
    punted,
    to_client,
    to_server,
)

_NEW = Tcp(source=STRANGER, destination=VIP)
"""A packet to the listener from a client that has no splice."""
_PACKET = UP.packet()
_DATA = b"sixteen bytes..."


def _pass(name: str, packet: Tcp, port: int = CLIENT_PORT) -> Vector:
    return passed(name, packet.arriving(port), port)


def _short_header(words: int, port: int) -> Vector:
    """IHL `words`, and a listener on the `port` that is read if the TCP header is believed to start there."""
    listener = Listener(Endpoint(VIP.address, port))
    rules = replace(RULES, listeners=(*RULES.listeners, listener))
    return replace(_pass(f"IHL {words}", replace(UP, header_words=words)), rules=rules)


_PASSED = (
    passed("ARP", arriving(bytes(28), CLIENT_PORT, ARP)),
    passed("IPv6", arriving(b"\x60" + bytes(59), CLIENT_PORT, IPV6)),
    passed("a spliced packet behind a VLAN tag", arriving(b"\0\x07\x08\0" + _PACKET, CLIENT_PORT, VLAN)),
    passed("an unknown EtherType", arriving(_PACKET, CLIENT_PORT, 0x88B5)),
    passed("one byte of IPv4", arriving(_PACKET[:1], CLIENT_PORT)),
    passed("19 bytes of IPv4", arriving(_PACKET[:19], CLIENT_PORT)),
    passed("cut short within the TCP header", arriving(_PACKET[:30], CLIENT_PORT)),
    passed("cut short by one byte", arriving(_PACKET[:-1], CLIENT_PORT)),
    _pass("total length past the frame", replace(UP, total_length=41)),
    _pass("total length within the IPv4 header", replace(UP, total_length=19)),
    _pass("total length 0", replace(UP, total_length=0)),
    _pass("total length ends with the IPv4 header", replace(UP, total_length=20)),
    _pass("total length ends within the ports", replace(UP, total_length=23)),
    _pass("IPv4 options past the total length", replace(UP, header_words=15)),
    _short_header(4, 0x0064),
    _short_header(0, 40),
    _pass("version 6 under IPv4's EtherType", replace(UP, version=6)),
    _pass("UDP with the ports of a splice", replace(UP, protocol=17)),
    _pass("ICMP to the VIP", replace(UP, protocol=1)),
    _pass("another port of the VIP", replace(_NEW, destination=Endpoint(VIP.address, 81))),
    _pass("another port of the VIP from a spliced client", replace(UP, destination=Endpoint(VIP.address, 81))),
    _pass("the client straight to the server", replace(UP, destination=SERVER)),
    _pass("the VIP to the client", replace(UP, source=UP.destination, destination=UP.source)),
    _pass("the server to another port of the client", replace(DOWN, destination=Endpoint(DOWN.destination.address, 1))),
    _pass("another port of the server to the client", replace(DOWN, source=Endpoint(SERVER.address, 1)), SERVER_PORT),
    _pass("a stranger's TTL 1", replace(DOWN, source=STRANGER, ttl=1)),
    _pass("a fragment to a server", replace(UP, destination=SERVER, fragment=0x2000)),
    _pass("a fragment to a spliced client", replace(DOWN, fragment=0x2000), SERVER_PORT),
    _pass("a fragment of UDP to the VIP", replace(UP, protocol=17, fragment=0x2000)),
)

_MALFORMED = (
    dropped("data offset 0", Drop.MALFORMED, replace(UP, data_offset=0)),
    dropped("data offset 4", Drop.MALFORMED, replace(UP, data_offset=4, payload=_DATA)),
    dropped("data offset past the end", Drop.MALFORMED, replace(UP, data_offset=6)),
    dropped("data offset 15 with 59 bytes", Drop.MALFORMED, replace(UP, data_offset=15, payload=bytes(39))),
    dropped("data offset into the padding", Drop.MALFORMED, replace(UP, data_offset=6, padding=bytes(4))),
    dropped("ports alone", Drop.MALFORMED, replace(UP, total_length=24)),
    dropped("19 bytes of TCP", Drop.MALFORMED, replace(UP, total_length=39)),
    dropped("toward the client", Drop.MALFORMED, replace(DOWN, data_offset=6), SERVER_PORT),
    dropped("a SYN", Drop.MALFORMED, replace(UP, flags=SYN, data_offset=4)),
    dropped("behind IPv4 options", Drop.MALFORMED, replace(UP, ip_options=bytes(8), data_offset=4)),
    dropped("to a listener, data offset 4", Drop.MALFORMED, replace(_NEW, flags=SYN, data_offset=4)),
    dropped("to a listener, data offset past the end", Drop.MALFORMED, replace(_NEW, data_offset=6)),
    dropped("to a listener, 12 bytes of TCP", Drop.MALFORMED, replace(_NEW, total_length=32)),
)

_FRAGMENTS = (
    punted("the first one", Reason.FRAGMENT, replace(UP, fragment=0x2000, payload=_DATA)),
    punted("the last one", Reason.FRAGMENT, replace(UP, fragment=0x0001, payload=_DATA)),
    punted("with the largest offset", Reason.FRAGMENT, replace(UP, fragment=0x1FFF)),
    punted("with DF set", Reason.FRAGMENT, replace(UP, fragment=0x6000)),
    punted(
        "to a port without a listener",
        Reason.FRAGMENT,
        replace(UP, destination=Endpoint(VIP.address, 9999), fragment=2),
    ),
    punted("with less than the ports", Reason.FRAGMENT, replace(UP, fragment=0x0003, total_length=22)),
    punted("on the servers' side", Reason.FRAGMENT, replace(_NEW, fragment=0x2000), SERVER_PORT),
)

_LISTENER = (
    punted("a new connection", Reason.SYN, replace(_NEW, flags=SYN, options=b"\x02\x04\x05\xb4")),
    punted("on the servers' side", Reason.SYN, replace(_NEW, flags=SYN), SERVER_PORT),
    punted("with data", Reason.SYN, replace(_NEW, flags=SYN, payload=_DATA)),
    punted("with RST and FIN", Reason.SYN, replace(_NEW, flags=SYN | RST | FIN)),
    punted("with TTL 1", Reason.SYN, replace(_NEW, flags=SYN, ttl=1)),
    punted("with IPv4 options", Reason.SYN, replace(_NEW, flags=SYN, ip_options=bytes(4))),
    punted("with malformed options", Reason.SYN, replace(_NEW, flags=SYN, options=b"\x02\x00\x00\x00")),
    punted(
        "with wrong checksums and padding",
        Reason.SYN,
        replace(_NEW, flags=SYN, tcp_error=9, ip_error=8, padding=b"pad"),
    ),
    punted("an ACK", Reason.MISS, _NEW),
    punted("data", Reason.MISS, replace(_NEW, flags=ACK | PSH, payload=_DATA)),
    punted("a SYN-ACK", Reason.MISS, replace(_NEW, flags=SYN | ACK)),
    punted("a reset", Reason.MISS, replace(_NEW, flags=RST)),
    punted("no flags at all", Reason.MISS, replace(_NEW, flags=0)),
    punted("TTL 0", Reason.MISS, replace(_NEW, ttl=0)),
    punted("a spliced client's other port", Reason.MISS, replace(UP, source=Endpoint(UP.source.address, 40999))),
)

_SPLICED_SYN = (
    punted("of a spliced client", Reason.SYN, replace(UP, flags=SYN)),
    punted("SYN-ACK of a spliced server", Reason.SYN, replace(DOWN, flags=SYN | ACK), SERVER_PORT),
    punted("of a spliced client with TTL 1", Reason.SYN, replace(UP, flags=SYN, ttl=1)),
    punted("of a spliced client with IPv4 options", Reason.SYN, replace(UP, flags=SYN, ip_options=bytes(4))),
    punted(
        "of a spliced client past the pivot",
        Reason.SYN,
        replace(UP, flags=SYN, payload=_DATA),
        splice=replace(PLAIN, pivot=900),
    ),
)


def _pivot(pivot: int) -> Splice:
    return replace(PLAIN, pivot=pivot)


def _before(name: str, pivot: int, sequence: int, payload: bytes = _DATA, flags: int = ACK) -> Vector:
    """A packet that a splice with `pivot` still translates."""
    packet = replace(UP, sequence=sequence, payload=payload, flags=flags)
    left = replace(UP_LEFT, sequence=sequence, payload=payload, flags=flags)
    return to_server(f"pivot, {name}", packet, left, _pivot(pivot))


def _past(name: str, pivot: int, sequence: int, payload: bytes = _DATA) -> Vector:
    return punted(name, Reason.PIVOT, replace(UP, sequence=sequence, payload=payload), splice=_pivot(pivot))


_LARGEST = 2**32 - 1
_PIVOT = (
    _before("reaches it exactly", 1016, 1000),
    _past("by one byte", 1015, 1000),
    _past("starts at it", 1000, 1000),
    _past("starts after it", 900, 1000),
    _before("a pure ACK past it", 900, 1000, b""),
    _before("a FIN past it", 900, 1000, b"", ACK | FIN),
    _before("reaches it across the wrap", 6, 2**32 - 10),
    _past("by one byte across the wrap", 5, 2**32 - 10),
    _before("it is 0 and reached exactly", 0, 2**32 - 16),
    _past("it is 0", 0, 2**32 - 15),
    _before("it is 2^32 - 1 and reached exactly", _LARGEST, _LARGEST - 16),
    _past("it is 2^32 - 1", _LARGEST, _LARGEST - 15),
    _before("ends 2^31 - 1 bytes before it", 1016 + 2**31 - 1, 1000),
    _past("ends 2^31 bytes from it, which counts as after", 1016 + 2**31, 1000),
    _past("ends 2^31 - 1 bytes after it", (1016 - 2**31 + 1) % 2**32, 1000),
    punted("with TTL 1", Reason.PIVOT, replace(UP, payload=_DATA, ttl=1), splice=_pivot(1000)),
    punted("with IPv4 options", Reason.OPTIONS, replace(UP, payload=_DATA, ip_options=bytes(4)), splice=_pivot(1000)),
    punted("padding goes along", Reason.PIVOT, replace(UP, payload=_DATA, padding=b"pad"), splice=_pivot(1000)),
    punted(
        "options do not count as payload",
        Reason.PIVOT,
        replace(UP, payload=b"12", options=nops(8)),
        splice=_pivot(1001),
    ),
    to_server(
        "pivot, padding does not count as payload",
        replace(UP, padding=bytes(6)),
        replace(UP_LEFT, padding=bytes(6)),
        _pivot(900),
    ),
    to_client(
        "the pivot is not the server's",
        replace(DOWN, payload=_DATA),
        replace(DOWN, source=VIP, sequence=1000 + PLAIN.delta, payload=_DATA, ttl=63),
        _pivot(900),
    ),
)

_FIN = replace(DOWN, flags=ACK | FIN)


def _ends(name: str, **changes: object) -> Vector:
    """A FIN of the server's that a splice with a pivot punts."""
    return punted(name, Reason.FIN, replace(_FIN, **changes), SERVER_PORT, splice=_pivot(900))  # type: ignore[arg-type]


def _forwarded(name: str, pivot: int | None = 900, **changes: object) -> Vector:
    """A packet of the server's that is translated, whatever flags it has."""
    packet = replace(_FIN, **changes)  # type: ignore[arg-type]
    left = replace(packet, source=VIP, sequence=1000 + PLAIN.delta, ttl=63)
    return to_client(name, packet, left, replace(PLAIN, pivot=pivot))


_FINS = (
    _ends("of a server"),
    _ends("of a server, pushed", flags=ACK | FIN | PSH),
    _ends("of a server with TTL 1", ttl=1),
    _ends("of a server, padding does not count as payload", padding=bytes(6)),
    _forwarded("a FIN behind data, with a pivot", payload=_DATA),
    _forwarded("a FIN, without a pivot", None),
)

_TTL_AND_ROUTE = (
    dropped("1 toward the server", Drop.TTL, replace(UP, ttl=1)),
    dropped("0 toward the server", Drop.TTL, replace(UP, ttl=0)),
    dropped("1 toward the client", Drop.TTL, replace(DOWN, ttl=1), SERVER_PORT),
    dropped("before the route is looked up", Drop.TTL, replace(UP, source=TO_NOWHERE.flow.client, ttl=1)),
    dropped("to the server", Drop.NO_ROUTE, replace(UP, source=TO_NOWHERE.flow.client), splice=TO_NOWHERE),
    dropped("to the client", Drop.NO_ROUTE, replace(DOWN, destination=FAR_CLIENT), SERVER_PORT, FROM_NOWHERE),
)

VECTORS = (
    *_FINS,
    *_PASSED,
    *_MALFORMED,
    *_FRAGMENTS,
    *_LISTENER,
    *_SPLICED_SYN,
    *_PIVOT,
    *_TTL_AND_ROUTE,
)
