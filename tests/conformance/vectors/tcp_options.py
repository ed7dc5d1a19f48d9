"""TCP options: SACK edges and timestamps in every place, and the ones that a target must punt."""

from __future__ import annotations

from dataclasses import replace

from fastpath.records import Reason
from tests.conformance.packets import ACK, PSH, RST, SYN, nops, sack, timestamps
from tests.conformance.target import SERVER_PORT
from tests.conformance.vectors.model import (
    DELTA,
    DOWN,
    DOWN_LEFT,
    PLAIN,
    TIMESTAMP_DELTA,
    UP,
    UP_LEFT,
    Vector,
    punted,
    to_client,
    to_server,
)

_MODULUS = 2**32
_EDGES = (5000, 6000, 0xFFFF_FFF0, 0x10, 7000, 8000, DELTA, DELTA - 1)
"""Edges of four blocks, as the client numbers them; they straddle every wrap."""
_EDGES_LEFT = tuple((edge - DELTA) % _MODULUS for edge in _EDGES)
_TS = timestamps(111, 222)


def _up(name: str, arrives: bytes, leaves: bytes, payload: bytes = b"") -> Vector:
    before, after = replace(UP, options=arrives, payload=payload), replace(UP_LEFT, options=leaves, payload=payload)
    return to_server(name, before, after)


def _down(name: str, arrives: bytes, leaves: bytes, payload: bytes = b"") -> Vector:
    before, after = replace(DOWN, options=arrives, payload=payload), replace(DOWN_LEFT, options=leaves, payload=payload)
    return to_client(name, before, after)


def _blocks(count: int) -> tuple[bytes, bytes]:
    """A SACK option of `count` blocks toward the server, before and after."""
    return sack(*_EDGES[: 2 * count]), sack(*_EDGES_LEFT[: 2 * count])


def _sack_only(count: int) -> Vector:
    arrives, leaves = _blocks(count)
    return _up(f"SACK, {count} blocks", nops(2) + arrives, nops(2) + leaves)


_ONE, _ONE_LEFT = _blocks(1)
_TWO, _TWO_LEFT = _blocks(2)
_UNKNOWN = bytes((254, 6, 0xDE, 0xAD, 0xBE, 0xEF))
_MSS_AND_SCALE = bytes((2, 4, 5, 0xB4, 1, 3, 3, 7))

_SACK = (
    *(_sack_only(count) for count in (1, 2, 3, 4)),
    _down("SACK stays", nops(2) + _TWO, nops(2) + _TWO),
    _up("MSS and window scale stay", _MSS_AND_SCALE, _MSS_AND_SCALE),
    _up("only padding", nops(36) + bytes(4), nops(36) + bytes(4)),
    _up("an unknown option that looks like timestamps", bytes((254, 12)) + _TS, bytes((254, 12)) + _TS),
)


def _with_timestamps(delta: int) -> tuple[Vector, ...]:
    """Timestamps through a splice whose timestamp delta is `delta`."""
    ts_up, ts_down = timestamps(111, (222 - delta) % _MODULUS), timestamps(111 + delta, 222)

    def after(count: int) -> Vector:
        """SACK of `count` blocks behind timestamps."""
        arrives, leaves = _blocks(count)
        before, after = nops(2) + _TS + nops(2) + arrives, nops(2) + ts_up + nops(2) + leaves
        return _up(f"timestamps and SACK, {count} blocks", before, after)

    def shifted(lead: int) -> tuple[Vector, Vector, Vector]:
        """Timestamps and SACK behind `lead` NOPs, so that they stand at every alignment."""
        arrives, leaves = _blocks(1)
        trail = nops(-(lead + 10) % 4)
        return (
            _up(f"timestamps at offset {lead}", nops(lead) + _TS + trail, nops(lead) + ts_up + trail, b"x"),
            _down(f"timestamps at offset {lead}", nops(lead) + _TS + trail, nops(lead) + ts_down + trail, b"xy"),
            _up(f"SACK at offset {lead}", nops(lead) + arrives + trail, nops(lead) + leaves + trail),
        )

    return (
        *(after(count) for count in (1, 2, 3)),
        *(vector for lead in (0, 1, 2, 3, 29) for vector in shifted(lead)),
        _down("timestamps and SACK", nops(2) + _TS + nops(2) + _TWO, nops(2) + ts_down + nops(2) + _TWO),
        _up("SACK before timestamps", _TWO + _TS + nops(4), _TWO_LEFT + ts_up + nops(4)),
        _up("forty bytes, none of them padding", _TS + _ONE + _ONE + _TS, ts_up + _ONE_LEFT + _ONE_LEFT + ts_up),
        _up("an unknown option is skipped", _UNKNOWN + _TS, _UNKNOWN + ts_up),
        _up("an unknown option of the least length", bytes((200, 2)) + _TS, bytes((200, 2)) + ts_up),
        _up("nothing after END is read", _TS + b"\0\x08\x01\x05\0\0", ts_up + b"\0\x08\x01\x05\0\0"),
        _up("TSecr wraps below 0", nops(2) + timestamps(0, 0), nops(2) + timestamps(0, -delta % _MODULUS)),
        _down(
            "TSval wraps past 2^32",
            nops(2) + timestamps(_MODULUS - 1, 5),
            nops(2) + timestamps((_MODULUS - 1 + delta) % _MODULUS, 5),
        ),
        to_server(
            "without the ACK flag TSecr stays, SACK edges do not",
            replace(UP, flags=PSH, options=_TS + _ONE, payload=b"data"),
            replace(UP_LEFT, flags=PSH, options=_TS + _ONE_LEFT, payload=b"data", acknowledgment=2000),
        ),
        to_client(
            "without the ACK flag TSval is translated",
            replace(DOWN, flags=PSH, options=nops(2) + _TS),
            replace(DOWN_LEFT, flags=PSH, options=nops(2) + ts_down),
        ),
        to_server(
            "timestamps with delta 0",
            replace(UP, options=nops(2) + _TS),
            replace(UP_LEFT, options=nops(2) + _TS),
            replace(PLAIN, timestamp_delta=0),
        ),
        to_server(
            "corrupt with options stays as corrupt",
            replace(UP, options=nops(1) + _TS + _ONE + nops(3), tcp_error=0x00FF, payload=b"odd"),
            replace(UP_LEFT, options=nops(1) + ts_up + _ONE_LEFT + nops(3), tcp_error=0x00FF, payload=b"odd"),
        ),
    )


_LARGEST_DELTA = to_server(
    "timestamps with the largest delta",
    replace(UP, options=nops(2) + timestamps(0, _MODULUS - 1)),
    replace(UP_LEFT, options=nops(2) + timestamps(0, 0)),
    replace(PLAIN, timestamp_delta=_MODULUS - 1),
)

_MALFORMED = {
    "length 0": b"\x08\0" + nops(2),
    "length 1": b"\x08\x01" + nops(2),
    "unknown option of length 0": b"\xfe\0" + nops(2),
    "no room for a length": nops(3) + b"\x08",
    "past the header's end": nops(2) + b"\x08\x0a",
    "unknown option past the header's end": b"\xfe\x05\0\0",
    "timestamps of 9 bytes": b"\x08\x09" + bytes(7) + nops(3),
    "timestamps of 12 bytes": b"\x08\x0c" + bytes(10),
    "SACK without a block": b"\x05\x02" + nops(2),
    "SACK of half a block": b"\x05\x06" + bytes(4) + nops(2),
    "SACK of one block and a half": b"\x05\x0e" + bytes(12) + nops(2),
    "MSS of 3 bytes": b"\x02\x03\0\x01",
    "window scale of 4 bytes": b"\x03\x04\0\0",
    "SACK-permitted of 3 bytes": b"\x04\x03\0\x01",
    "after good ones": _TS + b"\x08\x02",
    "in the last of forty bytes": _TS + _ONE + _ONE + nops(9) + b"\x08",
}

_PUNTED = (
    *(punted(name, Reason.OPTIONS, replace(UP, options=options)) for name, options in _MALFORMED.items()),
    punted("toward the client", Reason.OPTIONS, replace(DOWN, options=nops(3) + b"\x05"), SERVER_PORT),
    punted("IPv4 options", Reason.OPTIONS, replace(UP, ip_options=b"\x94\x04\0\0", payload=b"alert")),
    punted("forty bytes of IPv4 options", Reason.OPTIONS, replace(DOWN, ip_options=bytes(40)), SERVER_PORT),
    punted("IPv4 options and TTL 1", Reason.OPTIONS, replace(UP, ip_options=bytes(4), ttl=1)),
    punted("of a reset", Reason.OPTIONS, replace(UP, flags=RST, options=b"\x08\0" + nops(2))),
    punted("malformed options of a SYN", Reason.SYN, replace(UP, flags=SYN, options=b"\x08\0" + nops(2))),
    punted("padding goes along", Reason.OPTIONS, replace(UP, flags=ACK, ip_options=bytes(4), padding=b"pad")),
)

VECTORS = (*_SACK, *_with_timestamps(TIMESTAMP_DELTA), _LARGEST_DELTA, *_PUNTED)

WITHOUT_DELTA = (*_SACK, *_with_timestamps(0), *_PUNTED)
"""For targets that do not translate timestamps, in rules that have yet to lose their timestamp deltas."""
NEEDS_DELTA = (_LARGEST_DELTA,)
"""What such a target must refuse."""
