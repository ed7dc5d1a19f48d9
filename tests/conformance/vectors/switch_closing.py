"""The end of a splice on a switch: a FIN of each direction has passed, or a RST has."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.interface import Closed
from fastpath.records import Direction
from fastpath.verdict import Sent
from tests.conformance.packets import ACK, FIN, RST, SYN, Tcp, nops, timestamps
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DOWN,
    DOWN_LEFT,
    FAR_CLIENT,
    PLAIN,
    UP,
    UP_LEFT,
    Injection,
    Stimulus,
    Vector,
    down,
    to_client,
    to_server,
    up,
)

_FINS = Closed(PLAIN.flow, reset=False)
_CLIENT_RESET, _SERVER_RESET = (Closed(PLAIN.flow, reset=True, by=direction) for direction in Direction)


def _end(name: str, last: Tcp, closed: tuple[Closed, ...], *before: Tcp | Stimulus) -> Vector:
    """After `before`, `last` passes, which is reported as `closed`."""
    if last.source == UP.source:
        acknowledgment = UP_LEFT.acknowledgment if last.flags & ACK else last.acknowledgment
        left = replace(UP_LEFT, flags=last.flags, acknowledgment=acknowledgment, options=last.options)
        vector = to_server(name, last, left)
    else:
        vector = to_client(name, last, replace(DOWN_LEFT, flags=last.flags, options=last.options))
    return replace(vector, name=f"switch closing: {name}", closed=closed, before=tuple(map(_stimulus, before)))


def _stimulus(packet: Tcp | Stimulus) -> Stimulus:
    if not isinstance(packet, Tcp):
        return packet
    return up(packet) if packet.source == UP.source else down(packet)


_CLIENT_FIN, _SERVER_FIN = replace(UP, flags=ACK | FIN), replace(DOWN, flags=ACK | FIN)

_INJECTED = Vector(
    "switch closing: an injected FIN counts",
    Injection(_CLIENT_FIN.injected(Action.TRANSLATE, CLIENT_PORT)),
    Sent(SERVER_PORT, replace(UP_LEFT, flags=ACK | FIN).leaving(SERVER_PORT)),
    to_server("", UP, UP_LEFT).counted,
    (_FINS,),
    (down(_SERVER_FIN),),
)

VECTORS = (
    _end("one FIN", _CLIENT_FIN, ()),
    _end("one FIN twice", _CLIENT_FIN, (), _CLIENT_FIN),
    _end("both FINs, the client first", _SERVER_FIN, (_FINS,), _CLIENT_FIN),
    _end("both FINs, the server first", _CLIENT_FIN, (_FINS,), _SERVER_FIN),
    _end("both FINs without ACK", replace(UP, flags=FIN), (_FINS,), replace(DOWN, flags=FIN)),
    _end("behind timestamps", replace(_CLIENT_FIN, options=nops(2) + timestamps(1, 2)), (_FINS,), _SERVER_FIN),
    _end("reported once", _SERVER_FIN, (), _CLIENT_FIN, _SERVER_FIN),
    _end("a FIN that was dropped does not count", _SERVER_FIN, (), replace(_CLIENT_FIN, ttl=1)),
    _end("a FIN that was punted does not count", _SERVER_FIN, (), replace(_CLIENT_FIN, options=nops(4))),
    _end("a FIN of a SYN does not count", _SERVER_FIN, (), replace(_CLIENT_FIN, flags=SYN | FIN)),
    _end("a FIN for another does not count", _SERVER_FIN, (), replace(_SERVER_FIN, destination=FAR_CLIENT)),
    _end(
        "a FIN that was injected before",
        _SERVER_FIN,
        (_FINS,),
        Injection(_CLIENT_FIN.injected(Action.TRANSLATE, CLIENT_PORT)),
    ),
    _end("a FIN that was routed does not count", _SERVER_FIN, (), Injection(_CLIENT_FIN.injected(Action.ROUTE, 0))),
    _INJECTED,
    _end("a reset", replace(UP, flags=RST), (_CLIENT_RESET,)),
    _end("a reset with a FIN", replace(DOWN, flags=RST | FIN), (_SERVER_RESET,)),
    _end("a reset with the second FIN is both", replace(DOWN, flags=RST | FIN), (_FINS, _SERVER_RESET), _CLIENT_FIN),
    _end("a reset after one FIN", replace(DOWN, flags=RST | ACK), (_SERVER_RESET,), _CLIENT_FIN),
    _end("both FINs after a reset", _SERVER_FIN, (_FINS,), replace(UP, flags=RST), _CLIENT_FIN),
)
