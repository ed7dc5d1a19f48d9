"""Frames from the slow path: translate, emit, route, what they expect, and frames that are refused."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action, InjectFlags
from fastpath.records import Direction, Drop, Reason
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, ARP, FIN, RST, SYN, Tcp, cpu_frame
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DOWN,
    DOWN_LEFT,
    FAR_CLIENT,
    PLAIN,
    SERVER,
    STRANGER,
    UP,
    UP_LEFT,
    VIP,
    Counted,
    Injection,
    Stimulus,
    Vector,
    down,
    up,
    with_splice,
)

_STALE, _FRAME, _NO_ROUTE = Dropped(Drop.STALE), Dropped(Drop.FRAME), Dropped(Drop.NO_ROUTE)
_UNKNOWN_PORT = 2
_SPARE_PORT = 0xFFFF


def _translate(name: str, packet: Tcp, verdict: Verdict, port: int = CLIENT_PORT) -> Vector:
    return Vector(f"injected to translate: {name}", Injection(packet.injected(Action.TRANSLATE, port)), verdict)


def _punted_back(name: str, packet: Tcp, reason: Reason, port: int = CLIENT_PORT) -> Vector:
    return _translate(name, packet, Punted(reason, packet.punted(reason, port)), port)


_DATA = replace(UP, payload=b"GET / HTTP/1.1\r\n\r\n")
_DATA_LEFT = Sent(SERVER_PORT, replace(UP_LEFT, payload=_DATA.payload).leaving(SERVER_PORT))
_DATA_COUNTED = Counted(7, Direction.TO_SERVER, len(_DATA.packet()))

_TRANSLATE = (
    replace(_translate("toward the server", _DATA, _DATA_LEFT), counted=_DATA_COUNTED),
    replace(
        _translate("toward the client", DOWN, Sent(CLIENT_PORT, DOWN_LEFT.leaving(CLIENT_PORT)), SERVER_PORT),
        counted=Counted(7, Direction.TO_CLIENT, 40),
    ),
    replace(
        _translate("past the pivot", _DATA, _DATA_LEFT),
        counted=_DATA_COUNTED,
        rules=with_splice(replace(PLAIN, pivot=900)),
    ),
    replace(
        _translate(
            "a FIN of the server, with a pivot",
            replace(DOWN, flags=ACK | FIN),
            Sent(CLIENT_PORT, replace(DOWN_LEFT, flags=ACK | FIN).leaving(CLIENT_PORT)),
            SERVER_PORT,
        ),
        counted=Counted(7, Direction.TO_CLIENT, 40),
        rules=with_splice(replace(PLAIN, pivot=900)),
    ),
    _translate("TTL 1", replace(UP, ttl=1), Dropped(Drop.TTL)),
    _translate("data offset 4", replace(UP, data_offset=4), Dropped(Drop.MALFORMED)),
    _translate("malformed to a listener", replace(UP, source=STRANGER, data_offset=4), Dropped(Drop.MALFORMED)),
    _translate("no splice, but a listener", replace(UP, source=STRANGER), _STALE),
    _translate("a SYN to a listener", replace(UP, source=STRANGER, flags=SYN), _STALE),
    _translate("neither splice nor listener", replace(UP, destination=SERVER), _STALE),
    _translate("UDP", replace(UP, protocol=17), _STALE),
    _translate("total length past the frame", replace(UP, total_length=41), _STALE),
    _translate("IHL 4", replace(UP, header_words=4), _STALE),
    _translate("a fragment to a server", replace(UP, destination=SERVER, fragment=0x2000), _STALE),
    _translate("total length ends within the ports", replace(UP, total_length=23), _STALE),
    _translate("no route", replace(DOWN, destination=FAR_CLIENT), _NO_ROUTE, SERVER_PORT),
    _punted_back("a fragment to the VIP", replace(UP, fragment=0x2000), Reason.FRAGMENT),
    _punted_back("a SYN of a spliced client", replace(UP, flags=SYN), Reason.SYN),
    _punted_back("IPv4 options", replace(UP, ip_options=bytes(4)), Reason.OPTIONS),
    _punted_back("malformed options on port 1", replace(DOWN, options=b"\x08\0\0\0"), Reason.OPTIONS, SERVER_PORT),
    Vector("injected to translate: ARP", Injection(cpu_frame(Action.TRANSLATE, 0, bytes(28), 0, ARP)), _STALE),
    Vector("injected to translate: one byte", Injection(cpu_frame(Action.TRANSLATE, 0, b"\x45")), _STALE),
)


def _emit(name: str, frame: bytes, port: int) -> Vector:
    """The next hop's address comes in the source field, and leaves as the destination."""
    next_hop = bytes.fromhex("02000000beef")
    injected = frame[:6] + next_hop + frame[12:]
    return Vector(f"injected to emit: {name}", Injection(injected), Sent(port, next_hop + frame[:6] + frame[12:]))


_EMIT = (
    _emit("ARP", cpu_frame(Action.EMIT, CLIENT_PORT, bytes(range(28)), 0, ARP), CLIENT_PORT),
    _emit("a spliced packet as it is", UP.injected(Action.EMIT, SERVER_PORT), SERVER_PORT),
    _emit("TTL 0", replace(UP, ttl=0).injected(Action.EMIT, SERVER_PORT), SERVER_PORT),
)

_OWN = Tcp(source=Endpoint(bytes((10, 2, 0, 1)), 50000), destination=SERVER, flags=SYN)
"""A packet of the slow path's own to a server, as a health probe sends it."""
_REPLY = Tcp(source=SERVER, destination=_OWN.source, flags=SYN | ACK)


def _route(name: str, packet: Tcp, port: int, inject_port: int = _SPARE_PORT) -> Vector:
    injection = Injection(packet.injected(Action.ROUTE, inject_port))
    return Vector(f"injected to route: {name}", injection, Sent(port, packet.leaving(port)))


def _unroutable(name: str, frame: bytes) -> Vector:
    return Vector(f"injected to route: {name}", Injection(frame), _NO_ROUTE)


_ROUTE = (
    _route("to a server", _OWN, SERVER_PORT),
    _route("to a client", replace(UP, source=VIP, destination=STRANGER), CLIENT_PORT),
    _route("the port does not matter", _OWN, SERVER_PORT, CLIENT_PORT),
    _route("a spliced 4-tuple is left alone", DOWN, CLIENT_PORT),
    _route("wrong checksums are left alone", replace(_OWN, tcp_error=3, ip_error=4), SERVER_PORT),
    _route("TTL 1 is left alone", replace(_OWN, ttl=1), SERVER_PORT),
    _route("IPv4 options and padding are left alone", replace(_OWN, ip_options=bytes(4), padding=b"pad"), SERVER_PORT),
    _route("UDP", replace(_OWN, protocol=17), SERVER_PORT),
    _unroutable("no route", replace(_OWN, destination=FAR_CLIENT).injected(Action.ROUTE, _SPARE_PORT)),
    _unroutable("ARP", cpu_frame(Action.ROUTE, _SPARE_PORT, bytes(28), 0, ARP)),
    _unroutable("19 bytes", cpu_frame(Action.ROUTE, _SPARE_PORT, _OWN.packet()[:19])),
)

_PROBE = Injection(_OWN.injected(Action.ROUTE, _SPARE_PORT, InjectFlags.EXPECT_REPLY))
_ABORT = Injection(replace(_OWN, flags=RST).injected(Action.ROUTE, _SPARE_PORT, InjectFlags.EXPECT_REPLY))
_SILENT = Injection(_OWN.injected(Action.ROUTE, _SPARE_PORT))
_REPLY_PUNTED = Punted(Reason.MISS, _REPLY.punted(Reason.MISS, SERVER_PORT))


def _reply(name: str, verdict: Verdict, stimulus: Stimulus, *before: Stimulus) -> Vector:
    return Vector(f"expected: {name}", stimulus, verdict, before=before)


_OTHER_PORT = replace(_REPLY, destination=Endpoint(_REPLY.destination.address, 50001))
_CUT = replace(_REPLY, total_length=24)
_TO_LISTENER = replace(UP, source=STRANGER, flags=SYN)
_FROM_LISTENER = replace(UP, source=VIP, destination=STRANGER)

_EXPECTED = (
    _reply("the reply", _REPLY_PUNTED, down(_REPLY), _PROBE),
    _reply("on the other port", Punted(Reason.MISS, _REPLY.punted(Reason.MISS, CLIENT_PORT)), up(_REPLY), _PROBE),
    _reply("the reply again", _REPLY_PUNTED, down(_REPLY), _PROBE, down(_REPLY)),
    _reply("a reply with a broken header", Punted(Reason.MISS, _CUT.punted(Reason.MISS, 1)), down(_CUT), _PROBE),
    _reply("without the flag it passes", Passed(), down(_REPLY), _SILENT),
    _reply("nothing was sent", Passed(), down(_REPLY)),
    _reply("another port", Passed(), down(_OTHER_PORT), _PROBE),
    _reply("the probe's own direction passes", Passed(), up(_OWN), _PROBE),
    _reply("a fragment of the reply", Passed(), down(replace(_REPLY, fragment=0x2000)), _PROBE),
    _reply(
        "UDP is not expected",
        Passed(),
        down(_REPLY),
        Injection(replace(_OWN, protocol=17).injected(Action.ROUTE, _SPARE_PORT, InjectFlags.EXPECT_REPLY)),
    ),
    _reply("after a RST it passes", Passed(), down(_REPLY), _PROBE, _ABORT),
    _reply("after a SYN that follows the RST it is expected again", _REPLY_PUNTED, down(_REPLY), _ABORT, _PROBE),
    _reply("injected again it is stale", _STALE, Injection(_REPLY.injected(Action.TRANSLATE, SERVER_PORT)), _PROBE),
    _reply(
        "a listener comes first",
        Punted(Reason.SYN, _TO_LISTENER.punted(Reason.SYN, CLIENT_PORT)),
        up(_TO_LISTENER),
        Injection(_FROM_LISTENER.injected(Action.ROUTE, _SPARE_PORT, InjectFlags.EXPECT_REPLY)),
    ),
)

_GOOD = _DATA.injected(Action.TRANSLATE, CLIENT_PORT)


def _refused(name: str, frame: bytes) -> Vector:
    return Vector(f"injected and refused: {name}", Injection(frame), _FRAME)


_REFUSED = (
    _refused("another lead byte", b"\x03" + _GOOD[1:]),
    _refused("another marker", _GOOD[:5] + b"\x4d" + _GOOD[6:]),
    _refused("no CPU header", UP.arriving(CLIENT_PORT)),
    _refused("the least unknown action", _GOOD[:1] + b"\x03" + _GOOD[2:]),
    _refused("the largest unknown action", _GOOD[:1] + b"\xff" + _GOOD[2:]),
    _refused("translate on an unknown port", _DATA.injected(Action.TRANSLATE, _UNKNOWN_PORT)),
    _refused("translate on no port", _DATA.injected(Action.TRANSLATE, _SPARE_PORT)),
    _refused("translate on a port whose low byte is known", _DATA.injected(Action.TRANSLATE, 0x0100)),
    _refused("emit on an unknown port", _DATA.injected(Action.EMIT, _UNKNOWN_PORT)),
    _refused("emit on no port", _DATA.injected(Action.EMIT, _SPARE_PORT)),
)

VECTORS = (*_TRANSLATE, *_EMIT, *_ROUTE, *_EXPECTED, *_REFUSED)
