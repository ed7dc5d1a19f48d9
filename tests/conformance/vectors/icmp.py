"""On a host: ICMP errors, and whose packets they are about."""

from __future__ import annotations

import struct
from dataclasses import replace

from fastpath.frame import Action, InjectFlags
from fastpath.records import Drop, Reason
from fastpath.verdict import Dropped, Passed, Punted, Verdict
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import HOP_BY_HOP
from tests.conformance.packets import SYN, Tcp, arriving, cpu_frame, full_checksum, nops
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.ipv6_model import (
    DOWN6_LEFT,
    FOUR_TO_SIX,
    RULES6,
    SIX_TO_FOUR,
    SNATTED6,
    STRANGER6,
    UP6,
    UP6_LEFT,
    VIP6,
    extension,
    fragment,
)
from tests.conformance.vectors.model import (
    DOWN,
    DOWN_LEFT,
    SERVER,
    SNATTED,
    STRANGER,
    UP,
    UP_LEFT,
    VIP,
    Arrival,
    Injection,
    Vector,
)

_IPV6 = 0x86DD
_ROUTER, _ROUTER6 = (Endpoint.parse(text) for text in ("10.2.0.99:1", "[2001:db8:2::99]:1"))
_UNREACHABLE, _TIME_EXCEEDED, _PARAMETER_PROBLEM = 3, 11, 12


def error(
    quote: bytes, kind: int = _UNREACHABLE, *, code: int = 4, options: bytes = b"", wrong: int = 0, **fields: object
) -> Tcp:
    """An ICMP error to whom the `quote` comes from, in a packet whose `fields` are those of Tcp.

    The bytes of the message stand in the place of a TCP segment's: `_packet` knows.
    """
    family = quote[0] >> 4
    router = _ROUTER6 if family == 6 else _ROUTER
    source = quote[8:24] if family == 6 else quote[12:16]
    message = struct.pack("!BBHI", kind, code, 0, 1300) + quote
    addresses = (router.address + source + struct.pack("!II", len(message), 58)) if family == 6 else b""
    checksum = full_checksum(message + b"\0" * (len(message) % 2) + addresses, wrong)
    message = message[:2] + checksum + message[4:]
    head = Tcp(
        source=router,
        destination=Endpoint(source, 1),
        protocol=58 if family == 6 else 1,
        ip_options=options,
        payload=message,
    )
    return replace(head, **fields)  # type: ignore[arg-type]


def error_packet(packet: Tcp) -> bytes:
    """The packet of `error`, from layer 3 on: the message instead of a TCP segment."""
    start = (40 if packet.is_ipv6 else 20) + len(packet.ip_options)
    length = len(packet.payload) + start
    whole = replace(packet, total_length=length if packet.total_length is None else packet.total_length, padding=b"")
    return whole.packet()[:start] + packet.payload + packet.padding


def _arriving(packet: Tcp, port: int) -> Arrival:
    return Arrival(port, arriving(error_packet(packet), port, packet.ether_type))


def _vector(name: str, packet: Tcp, port: int, verdict: Verdict) -> Vector:
    return Vector(f"ICMP, {name}", _arriving(packet, port), verdict, rules=RULES6)


def _punted(name: str, packet: Tcp, port: int = SERVER_PORT) -> Vector:
    data = error_packet(packet)
    punt = Punted(Reason.ICMP, cpu_frame(Reason.ICMP, port, data, ether_type=packet.ether_type))
    return _vector(f"punted: {name}", packet, port, punt)


def _passed(name: str, packet: Tcp, port: int = SERVER_PORT) -> Vector:
    return _vector(f"passed: {name}", packet, port, Passed())


def _sent(packet: Tcp) -> bytes:
    return replace(packet, payload=b"sixteen bytes...").packet()


def _quotes(splice_tuple: tuple[Endpoint, Endpoint]) -> bytes:
    return _sent(Tcp(source=splice_tuple[0], destination=splice_tuple[1]))


_UP, _DOWN, _UP6, _DOWN6 = map(_sent, (UP_LEFT, DOWN_LEFT, UP6_LEFT, DOWN6_LEFT))
_EXPECTED = Tcp(source=Endpoint.parse("10.1.0.9:45000"), destination=SERVER)
_SYN_ACK = _sent(Tcp(source=VIP, destination=STRANGER, flags=SYN))
_SYN_ACK6 = _sent(Tcp(source=VIP6, destination=STRANGER6, flags=SYN))
_MAPPED = Endpoint.parse("[::ffff:10.1.0.2]:1")


def _mapped() -> bytes:
    """A packet to the server as IPv6 whose addresses are IPv4-mapped, which look like IPv4's to some tables."""
    prefix = bytes(10) + b"\xff\xff"
    return _UP6[:8] + prefix + UP_LEFT.source.address + prefix + UP_LEFT.destination.address + _UP[20:]


_ABOUT_OURS = (
    _punted("about a packet to the server", error(_UP)),
    _punted("about a packet to the client", error(_DOWN), CLIENT_PORT),
    _punted("on whatever side it comes", error(_UP), CLIENT_PORT),
    _punted("about a packet to the server, IPv6", error(_UP6, 2, code=0)),
    _punted("about a packet to the client, IPv6", error(_DOWN6, 2, code=0), CLIENT_PORT),
    *(
        _punted(f"about a packet {way} of the splice {name}", error(_quotes(translation.becomes)))
        for name, splice in (("in SNAT mode", SNATTED), ("from 6 to 4", SIX_TO_FOUR), ("from 4 to 6", FOUR_TO_SIX))
        for way, translation in zip(("to the server", "to the client"), splice.translations(), strict=True)
        if len(translation.becomes.source.address) == 4
    ),
    *(
        _punted(f"about a packet {way} of the splice {name}", error(_quotes(translation.becomes), 1, code=0))
        for name, splice in (("in SNAT mode, IPv6", SNATTED6), ("from 6 to 4", SIX_TO_FOUR), ("4 to 6", FOUR_TO_SIX))
        for way, translation in zip(("to the server", "to the client"), splice.translations(), strict=True)
        if len(translation.becomes.source.address) == 16
    ),
    _punted("about a listener's packet", error(_SYN_ACK), CLIENT_PORT),
    _punted("about a listener's packet, IPv6", error(_SYN_ACK6, 2), CLIENT_PORT),
    *(_punted(f"type {kind}", error(_UP, kind, code=1)) for kind in (_UNREACHABLE, _TIME_EXCEEDED, _PARAMETER_PROBLEM)),
    *(_punted(f"type {kind}, IPv6", error(_UP6, kind, code=1)) for kind in (1, 2, 3, 4)),
    _punted("eight bytes of TCP", error(_UP[:28])),
    _punted("eight bytes of TCP, IPv6", error(_UP6[:48], 2)),
    _punted("the first fragment of the packet", error(replace(UP_LEFT, fragment=0x2000).packet())),
    _punted("a packet with IPv4 options", error(replace(UP_LEFT, ip_options=nops(8)).packet())),
    _punted("behind IPv4 options", error(_UP, options=nops(8))),
    _punted("a wrong checksum, which the slow path looks at", error(_UP, wrong=1)),
    _punted("padding goes along", error(_UP, padding=b"pad")),
    _punted("TTL 1", error(_UP, ttl=1)),
    replace(
        _punted("about a packet whose answer is expected", error(_EXPECTED.packet())),
        before=(Injection(_EXPECTED.injected(Action.ROUTE, 0xFFFF, InjectFlags.EXPECT_REPLY)),),
    ),
)

_NOT_OURS = (
    _passed("about what a client sent to us", error(_sent(UP)), CLIENT_PORT),
    _passed("about what a server sent to us", error(_sent(DOWN))),
    _passed("about what a client sent to us, IPv6", error(_sent(UP6), 2)),
    _passed("about a stranger's packet", error(_sent(replace(UP_LEFT, source=STRANGER)))),
    _passed("about another port of the VIP", error(_sent(replace(DOWN_LEFT, source=Endpoint(VIP.address, 81))))),
    _passed("about a packet whose answer is not expected", error(_EXPECTED.packet())),
    *(_passed(f"type {kind}", error(_UP, kind)) for kind in (0, 4, 5, 8, 13)),
    *(_passed(f"type {kind}, IPv6", error(_UP6, kind)) for kind in (0, 5, 128, 137)),
    _passed("IPv6's type of what is IPv4", error(_UP, protocol=58)),
    _passed("ICMP's number in IPv6", error(_UP6, 2, protocol=1)),
    _passed("seven bytes of TCP", error(_UP[:27])),
    _passed("seven bytes of TCP, and padding", error(_UP[:27], padding=bytes(8))),
    _passed("seven bytes of TCP, IPv6", error(_UP6[:47], 2)),
    _passed("seven bytes of TCP behind IPv4 options", error(replace(UP_LEFT, ip_options=nops(8)).packet()[:35])),
    _passed("not a whole IPv4 header", error(_UP[:19])),
    _passed("nothing quoted", error(_UP, payload=b"\3\4\0\0\0\0\5\x14")),
    _passed("a later fragment of the packet", error(replace(UP_LEFT, fragment=0x2001).packet())),
    _passed("about UDP", error(replace(UP_LEFT, protocol=17).packet())),
    _passed("about UDP, IPv6", error(replace(UP6_LEFT, protocol=17).packet(), 2)),
    _passed("about a packet with IHL 4", error(replace(UP_LEFT, header_words=4).packet())),
    _passed("about a packet of version 5", error(replace(UP_LEFT, version=5).packet())),
    _passed("about IPv6 in ICMP", replace(error(_UP), payload=b"\3\4\0\0\0\0\5\x14" + _UP6)),
    _passed("about IPv4 in ICMPv6", replace(error(_UP6, 2), payload=b"\2\0\0\0\0\0\5\x14" + _UP + bytes(20))),
    _passed("about a packet with IPv4-mapped addresses", error(_mapped(), 2, destination=_ROUTER6)),
    _passed("from an IPv4-mapped address", error(_UP6, 2, source=_MAPPED)),
    _passed("to an IPv4-mapped address", error(_UP6, 2, destination=_MAPPED)),
    _passed("a fragment", error(_UP, fragment=0x2000)),
    _passed("the last fragment", error(_UP, fragment=0x0001)),
    _passed("total length past the frame", error(_UP, total_length=20 + 8 + len(_UP) + 1)),
    _passed("total length within the quote", error(_UP, total_length=20 + 8 + 27)),
    _passed("IHL 4", error(_UP, header_words=4)),
    _passed("behind an extension header", error(_UP6, 2, protocol=HOP_BY_HOP, options=extension(58)), SERVER_PORT),
    _passed("behind a Fragment header", error(_UP6, 2, protocol=44, options=fragment(58)), SERVER_PORT),
    _passed(
        "about a packet with an extension header",
        error(replace(UP6_LEFT, protocol=HOP_BY_HOP, ip_options=extension(6)).packet(), 2),
    ),
)

_INJECTED = Vector(
    "ICMP, injected to translate",
    Injection(cpu_frame(Action.TRANSLATE, SERVER_PORT, error_packet(error(_UP)))),
    Dropped(Drop.STALE),
    rules=RULES6,
)
_UNTAGGED = Vector(
    "ICMP, passed: under the EtherType of the other version",
    Arrival(SERVER_PORT, arriving(error_packet(error(_UP)), SERVER_PORT, _IPV6)),
    Passed(),
    rules=RULES6,
)

VECTORS = (*_ABOUT_OURS, *_NOT_OURS, _INJECTED, _UNTAGGED)
