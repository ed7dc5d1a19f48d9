"""What only a switch does with frames: Ethernet addresses, ARP, ICMP, what its parser cannot see, checksum corners."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.records import Direction, Drop, Reason
from fastpath.verdict import Dropped, Punted, Sent, Verdict
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, ARP, FIN, IPV6, PSH, SYN, Tcp, arriving, cpu_frame
from tests.conformance.target import ADDRESSES, CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DOWN,
    PLAIN,
    SERVER,
    STRANGER,
    UP,
    UP_LEFT,
    VIP,
    Arrival,
    Counted,
    Injection,
    Vector,
    punted,
    to_server,
    with_splice,
)

_BROADCAST, _MULTICAST = b"\xff" * 6, bytes.fromhex("01005e000001")
_NEIGHBOUR = bytes.fromhex("02000000c0aa")
_DATA = b"sixteen bytes..."
_REQUEST = bytes(range(28))


def _switched(name: str, frame: bytes, verdict: Verdict, port: int = CLIENT_PORT) -> Vector:
    return Vector(f"switch: {name}", Arrival(port, frame), verdict)


def _not_ours(name: str, address: bytes, frame: bytes, port: int = CLIENT_PORT) -> Vector:
    """`frame`, but for another Ethernet `address`."""
    return _switched(f"not ours, {name}", address + frame[6:], Dropped(Drop.ADDRESS), port)


def _punt(name: str, reason: Reason, packet: bytes, port: int = CLIENT_PORT, ether_type: int = 0x0800) -> Vector:
    """A frame for the port's address."""
    frame = arriving(packet, port, ether_type)
    return _switched(name, frame, Punted(reason, cpu_frame(reason, port, packet, ether_type=ether_type)), port)


def _broadcast(name: str, packet: bytes, port: int) -> Vector:
    """ARP to everyone."""
    frame = _BROADCAST + arriving(packet, port, ARP)[6:]
    return _switched(name, frame, Punted(Reason.ARP, cpu_frame(Reason.ARP, port, packet, ether_type=ARP)), port)


_ADDRESSES = (
    _not_ours("a spliced packet", _NEIGHBOUR, UP.arriving(CLIENT_PORT)),
    _not_ours("a SYN to a listener", _NEIGHBOUR, replace(UP, source=STRANGER, flags=SYN).arriving(CLIENT_PORT)),
    _not_ours("the other port's address", ADDRESSES[SERVER_PORT], UP.arriving(CLIENT_PORT)),
    _not_ours("the client side's address on the other port", ADDRESSES[CLIENT_PORT], DOWN.arriving(1), SERVER_PORT),
    _not_ours("ARP to a neighbour", _NEIGHBOUR, arriving(_REQUEST, CLIENT_PORT, ARP)),
    _not_ours("ARP to a group", _MULTICAST, arriving(_REQUEST, CLIENT_PORT, ARP)),
    _not_ours("IPv4 broadcast", _BROADCAST, UP.arriving(CLIENT_PORT)),
    _not_ours("IPv4 multicast", _MULTICAST, UP.arriving(CLIENT_PORT)),
    _not_ours("IPv6 broadcast", _BROADCAST, arriving(b"\x60" + bytes(39), CLIENT_PORT, IPV6)),
    _not_ours("a CPU header from outside", bytes((2, 0, 0, 0, 0, 0x4C)), UP.arriving(CLIENT_PORT)),
    _not_ours("the last bit differs", bytes.fromhex("02000000c000"), UP.arriving(CLIENT_PORT)),
    _not_ours("the first bit differs", bytes.fromhex("82000000c001"), UP.arriving(CLIENT_PORT)),
    _broadcast("ARP request", _REQUEST, CLIENT_PORT),
    _broadcast("ARP request on the servers' side, padded", _REQUEST + bytes(18), SERVER_PORT),
    _broadcast("one byte of ARP", b"\0", CLIENT_PORT),
    _punt("ARP reply to us", Reason.ARP, _REQUEST, SERVER_PORT, ARP),
)

_ECHO = replace(UP, protocol=1)

_PROTOCOLS = (
    _punt("ICMP on the servers' side", Reason.ICMP, replace(DOWN, protocol=1).packet(), SERVER_PORT),
    _punt("ICMP with nothing in it", Reason.ICMP, _ECHO.packet()[:20]),
    _punt("ICMP with IPv4 options", Reason.ICMP, replace(_ECHO, ip_options=bytes(8)).packet()),
    _punt("a fragment of ICMP", Reason.ICMP, replace(_ECHO, fragment=0x2001).packet()),
    _punt("ICMP with TTL 0", Reason.ICMP, replace(_ECHO, ttl=0).packet()),
    _punt("UDP with IPv4 options", Reason.MISS, replace(UP, protocol=17, ip_options=bytes(4)).packet()),
    _punt("ICMP with IHL 4", Reason.MISS, replace(_ECHO, header_words=4).packet()),
    _punt("protocol 0", Reason.MISS, replace(UP, protocol=0).packet()),
    _punt("protocol 7", Reason.MISS, replace(UP, protocol=7).packet()),
    _punt("fragment with IPv4 options", Reason.FRAGMENT, replace(UP, fragment=1, ip_options=bytes(4)).packet()),
    _punt("the last bit of a fragment's offset", Reason.FRAGMENT, replace(UP, fragment=0x1000).packet()),
    _punt("20 bytes of TCP's IPv4", Reason.MISS, UP.packet()[:20]),
    _punt("a stranger with IPv4 options", Reason.OPTIONS, replace(DOWN, source=STRANGER, ip_options=bytes(4)).packet()),
    _punt("a stranger's malformed header", Reason.MISS, replace(DOWN, source=STRANGER, data_offset=4).packet()),
    _punt("a stranger's SYN to nobody", Reason.MISS, replace(UP, destination=STRANGER, flags=SYN).packet()),
)


def _stale(name: str, frame: bytes) -> Vector:
    return Vector(f"injected on a switch: {name}", Injection(frame), Dropped(Drop.STALE))


_STALE = (
    _stale("ICMP", _ECHO.injected(Action.TRANSLATE, CLIENT_PORT)),
    _stale("a fragment", replace(DOWN, fragment=0x2000).injected(Action.TRANSLATE, SERVER_PORT)),
    _stale("a spliced packet cut short", cpu_frame(Action.TRANSLATE, CLIENT_PORT, UP.packet()[:39])),
    _stale("IPv6", cpu_frame(Action.TRANSLATE, CLIENT_PORT, bytes(40), 0, IPV6)),
    _stale("a stranger's malformed header", replace(DOWN, source=STRANGER, data_offset=4).injected(0, SERVER_PORT)),
)

_CLAIMS = replace(UP, payload=_DATA, total_length=1500)
"""A header that claims more than there is."""

_LENGTHS = (
    to_server(
        "1460 bytes of payload, 16 of which are there",
        _CLAIMS,
        replace(UP_LEFT, payload=_DATA, total_length=1500),
    ),
    to_server(
        "the total length leaves payload in the padding",
        replace(UP, payload=_DATA, total_length=44),
        replace(UP_LEFT, payload=_DATA, total_length=44),
    ),
    to_server("total length 0xFFFF", replace(UP, total_length=0xFFFF), replace(UP_LEFT, total_length=0xFFFF)),
    punted(
        "payload by the total length alone",
        Reason.PIVOT,
        replace(UP, total_length=41),
        splice=replace(PLAIN, pivot=2**31),
    ),
    to_server(
        "no payload by the total length, though there are bytes",
        replace(UP, payload=_DATA, total_length=40),
        replace(UP_LEFT, payload=_DATA, total_length=40),
        replace(PLAIN, pivot=0),
    ),
    punted("pivot 0 is one", Reason.PIVOT, replace(UP, payload=b"x"), splice=replace(PLAIN, pivot=0)),
    punted("far before it", Reason.PIVOT, replace(UP, payload=b"x"), splice=replace(PLAIN, pivot=2**30)),
    punted("a FIN with data", Reason.PIVOT, replace(UP, payload=b"x", flags=ACK | FIN), splice=replace(PLAIN, pivot=1)),
    to_server(
        "a pivot lets a FIN without data go",
        replace(UP, flags=ACK | FIN),
        replace(UP_LEFT, flags=ACK | FIN),
        replace(PLAIN, pivot=1),
    ),
    Vector(
        "injected on a switch: far before the pivot",
        Injection(replace(UP, payload=b"x", flags=ACK | PSH).injected(Action.TRANSLATE, CLIENT_PORT)),
        Sent(SERVER_PORT, replace(UP_LEFT, payload=b"x", flags=ACK | PSH).leaving(SERVER_PORT)),
        Counted(7, Direction.TO_SERVER, 41),
        rules=with_splice(replace(PLAIN, pivot=2**30)),
    ),
    Vector(
        "dropped malformed: to a listener, total length 39",
        Arrival(CLIENT_PORT, replace(UP, source=STRANGER, total_length=39).arriving(CLIENT_PORT)),
        Dropped(Drop.MALFORMED),
    ),
    Vector(
        "dropped malformed: to a listener, total length 0",
        Arrival(CLIENT_PORT, replace(UP, source=STRANGER, total_length=0, flags=SYN).arriving(CLIENT_PORT)),
        Dropped(Drop.MALFORMED),
    ),
)


def _zero_identification(packet: Tcp) -> int:
    """The identification with which the IPv4 header checksum of `packet` is 0."""
    return int.from_bytes(replace(packet, identification=0).packet()[10:12], "big")


def _corner(name: str, packet: Tcp, left: Tcp, offset: int | None = None) -> Vector:
    """`packet` becomes `left`; with an `offset`, the checksum there arrives as 0xFFFF and not as 0."""
    vector = to_server(name, packet, left)
    if offset is None:
        return vector
    frame = packet.arriving(CLIENT_PORT)
    assert frame[offset : offset + 2] == bytes(2), name
    return replace(vector, stimulus=Arrival(CLIENT_PORT, frame[:offset] + b"\xff\xff" + frame[offset + 2 :]))


_IN, _OUT = _zero_identification(UP), _zero_identification(UP_LEFT)

_CHECKSUMS = (
    _corner(
        "the IPv4 checksum that arrives is 0", replace(UP, identification=_IN), replace(UP_LEFT, identification=_IN)
    ),
    _corner(
        "the IPv4 checksum that arrives is 0xFFFF",
        replace(UP, identification=_IN),
        replace(UP_LEFT, identification=_IN),
        24,
    ),
    _corner(
        "the IPv4 checksum that leaves is 0", replace(UP, identification=_OUT), replace(UP_LEFT, identification=_OUT)
    ),
)

_SIDES = (
    replace(
        to_server("on the servers' side, which makes no difference", UP, UP_LEFT),
        stimulus=Arrival(SERVER_PORT, UP.arriving(SERVER_PORT)),
    ),
    punted("a server's SYN to the VIP", Reason.SYN, Tcp(source=SERVER, destination=VIP, flags=SYN), SERVER_PORT),
    punted("a server's ACK to the VIP", Reason.MISS, Tcp(source=SERVER, destination=VIP), SERVER_PORT),
    punted("the VIP to itself", Reason.MISS, Tcp(source=VIP, destination=VIP)),
    punted("the VIP to a server", Reason.MISS, Tcp(source=VIP, destination=SERVER)),
    punted(
        "a server to a client that is none of its own",
        Reason.MISS,
        Tcp(source=SERVER, destination=Endpoint(STRANGER.address, 1)),
        SERVER_PORT,
    ),
)

VECTORS = (*_ADDRESSES, *_PROTOCOLS, *_STALE, *_LENGTHS, *_CHECKSUMS, *_SIDES)
