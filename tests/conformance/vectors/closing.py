"""The end of a splice: which packets report it, and which almost do."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.interface import Closed
from fastpath.records import Direction, Splice
from fastpath.verdict import Sent
from tests.conformance.packets import ACK, FIN, RST, Tcp
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DELTA,
    DOWN,
    DOWN_LEFT,
    PLAIN,
    UP,
    UP_LEFT,
    Counted,
    Injection,
    Stimulus,
    Vector,
    down,
    up,
    with_splice,
)

_MODULUS = 2**32
_CLIENT_NEXT, _SERVER_NEXT = 1000, 7000
"""What each side sends next, in its own numbers."""
_ACK_OF_SERVER = _SERVER_NEXT + DELTA
"""How the client acknowledges what precedes _SERVER_NEXT."""


def _from_client(flags: int = ACK, *, sent: int = 0, got: int = 0, payload: bytes = b"") -> Tcp:
    """From the client, who has sent `sent` more bytes and got `got`."""
    return replace(UP, flags=flags, sequence=_CLIENT_NEXT + sent, acknowledgment=_ACK_OF_SERVER + got, payload=payload)


def _from_server(flags: int = ACK, *, sent: int = 0, got: int = 0, payload: bytes = b"") -> Tcp:
    """From the server, which has sent `sent` more bytes and got `got`."""
    return replace(DOWN, flags=flags, sequence=_SERVER_NEXT + sent, acknowledgment=_CLIENT_NEXT + got, payload=payload)


def _end(
    name: str,
    last: Tcp,
    closed: tuple[bool, ...],
    *before: Tcp | Stimulus,
    splice: Splice = PLAIN,
    injected: bool = False,
) -> Vector:
    """After `before`, `last` passes; one report for each of `closed`, which says whether it is a reset's."""
    is_up = last.source == PLAIN.flow.client
    if is_up:
        shift = _MODULUS - splice.delta if last.flags & ACK else 0
        left = replace(UP_LEFT, flags=last.flags, sequence=last.sequence, payload=last.payload)
        left = replace(left, acknowledgment=(last.acknowledgment + shift) % _MODULUS)
        arrival_port, port, direction = CLIENT_PORT, SERVER_PORT, Direction.TO_SERVER
    else:
        left = replace(DOWN_LEFT, flags=last.flags, sequence=(last.sequence + splice.delta) % _MODULUS)
        left = replace(left, acknowledgment=last.acknowledgment, payload=last.payload)
        arrival_port, port, direction = SERVER_PORT, CLIENT_PORT, Direction.TO_CLIENT
    arrival = (
        Injection(last.injected(Action.TRANSLATE, arrival_port)) if injected else up(last) if is_up else down(last)
    )
    return Vector(
        f"closing: {name}",
        arrival,
        Sent(port, left.leaving(port)),
        Counted(7, direction, len(last.packet())),
        tuple(Closed(PLAIN.flow, reset, direction if reset else None) for reset in closed),
        tuple(_stimulus(packet) for packet in before),
        with_splice(splice),
    )


def _stimulus(packet: Tcp | Stimulus) -> Stimulus:
    if not isinstance(packet, Tcp):
        return packet
    return up(packet) if packet.source == PLAIN.flow.client else down(packet)


_CLIENT_FIN, _SERVER_FIN = _from_client(ACK | FIN), _from_server(ACK | FIN)
_SERVER_ACKS, _CLIENT_ACKS = _from_server(got=1), _from_client(got=1)
_SERVER_FIN_AND_ACK = _from_server(ACK | FIN, got=1)
_LAST_ACK = _from_client(sent=1, got=1)

_NONE: tuple[bool, ...] = ()
_FINS, _RESET = (False,), (True,)

_WRAPPING = replace(PLAIN, delta=_MODULUS - 7000 - 1)
"""With it the server's FIN ends at 2^32, which is 0."""
_PARTING = _from_server(ACK | FIN, payload=b"bye")

VECTORS = (
    _end("a FIN alone", _CLIENT_FIN, _NONE),
    _end("a FIN that is acknowledged", _SERVER_ACKS, _NONE, _CLIENT_FIN),
    _end("both FINs, one of them acknowledged", _SERVER_FIN_AND_ACK, _NONE, _CLIENT_FIN),
    _end("both acknowledged, the client first", _LAST_ACK, _FINS, _CLIENT_FIN, _SERVER_FIN_AND_ACK),
    _end(
        "both acknowledged, the server first",
        _from_server(sent=1, got=1),
        _FINS,
        _SERVER_FIN,
        _from_client(ACK | FIN, got=1),
    ),
    _end("each acknowledged on its own", _LAST_ACK, _FINS, _CLIENT_FIN, _SERVER_ACKS, _SERVER_FIN_AND_ACK),
    _end("both at once", _from_server(sent=1, got=1), _FINS, _CLIENT_FIN, _SERVER_FIN, _LAST_ACK),
    _end("acknowledged by data", _from_client(sent=1, got=1, payload=b"x"), _FINS, _CLIENT_FIN, _SERVER_FIN_AND_ACK),
    _end("reported once", _LAST_ACK, _NONE, _CLIENT_FIN, _SERVER_FIN_AND_ACK, _LAST_ACK),
    _end("a FIN sent again", _LAST_ACK, _FINS, _CLIENT_FIN, _CLIENT_FIN, _SERVER_FIN_AND_ACK, _SERVER_FIN_AND_ACK),
    _end("acknowledged up to the FIN only", _from_client(sent=1, got=0), _NONE, _CLIENT_FIN, _SERVER_FIN_AND_ACK),
    _end(
        "a FIN behind data counts the data",
        _from_client(sent=1, got=4),
        _FINS,
        _CLIENT_FIN,
        replace(_PARTING, acknowledgment=1001),
    ),
    _end(
        "a FIN behind data, one byte short",
        _from_client(sent=1, got=3),
        _NONE,
        _CLIENT_FIN,
        replace(_PARTING, acknowledgment=1001),
    ),
    _end("an ACK past the FIN covers it", _from_client(sent=1, got=2), _FINS, _CLIENT_FIN, _SERVER_FIN_AND_ACK),
    _end(
        "an ACK number without the ACK flag covers nothing",
        replace(_LAST_ACK, flags=0),
        _NONE,
        _CLIENT_FIN,
        _SERVER_FIN_AND_ACK,
    ),
    _end(
        "an ACK from before the FIN passed covers nothing",
        _SERVER_FIN,
        _NONE,
        _SERVER_ACKS,
        _CLIENT_FIN,
        _LAST_ACK,
    ),
    _end(
        "a FIN that was dropped does not count",
        _SERVER_ACKS,
        _NONE,
        replace(_CLIENT_FIN, ttl=1),
        _SERVER_FIN,
        _LAST_ACK,
    ),
    _end(
        "a FIN that was punted does not count",
        _SERVER_ACKS,
        _NONE,
        replace(_CLIENT_FIN, ip_options=bytes(4)),
        _SERVER_FIN,
        _LAST_ACK,
    ),
    _end(
        "the FIN's end wraps",
        replace(_LAST_ACK, acknowledgment=0),
        _FINS,
        _CLIENT_FIN,
        _SERVER_FIN_AND_ACK,
        splice=_WRAPPING,
    ),
    _end(
        "the FIN's end wraps, one byte short",
        replace(_LAST_ACK, acknowledgment=_MODULUS - 1),
        _NONE,
        _CLIENT_FIN,
        _SERVER_FIN_AND_ACK,
        splice=_WRAPPING,
    ),
    _end("a FIN that was injected counts", _LAST_ACK, _FINS, _CLIENT_FIN, _SERVER_FIN_AND_ACK, injected=True),
    _end(
        "an injected client FIN",
        _LAST_ACK,
        _FINS,
        Injection(_CLIENT_FIN.injected(Action.TRANSLATE, CLIENT_PORT)),
        _SERVER_FIN_AND_ACK,
    ),
    _end("a reset from the client", _from_client(RST | ACK), _RESET, _from_server()),
    _end("a reset from the client without ACK", _from_client(RST), _RESET, _from_server()),
    _end("a reset from the server", _from_server(RST | ACK), _RESET, _from_client()),
    _end("a reset is reported once", _from_client(RST), _NONE, _from_server(), _from_client(RST)),
    _end("resets of both sides are one", _from_server(RST), _NONE, _from_server(), _from_client(), _from_client(RST)),
    _end("a reset that was dropped", _from_client(), _NONE, _from_server(), replace(_from_client(RST), ttl=1)),
    _end(
        "a reset after both FINs",
        _from_client(RST, sent=1),
        _RESET,
        _CLIENT_FIN,
        _SERVER_FIN_AND_ACK,
        _LAST_ACK,
    ),
    _end(
        "a reset that acknowledges the last FIN",
        _from_client(RST | ACK, sent=1, got=1),
        (False, True),
        _CLIENT_FIN,
        _SERVER_FIN_AND_ACK,
    ),
)
