"""Each layout of TCP options that a switch knows, those next to it, and frames that end within one."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.records import Drop, Reason
from fastpath.verdict import Dropped, Punted
from tests.conformance.packets import ACK, FIN, PSH, RST, SYN, Tcp, arriving, cpu_frame, nops, sack, timestamps
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import (
    DELTA,
    DOWN,
    DOWN_LEFT,
    PLAIN,
    STRANGER,
    UP,
    UP_LEFT,
    Arrival,
    Injection,
    Vector,
    punted,
    to_client,
    to_server,
)

_MODULUS = 2**32
_EDGES = (0, DELTA, DELTA - 1, DELTA + 1, 0xFFFF_FFFF, 0x8000_0000, 0x0000_FFFF, 0x1_0000)
_TS = nops(2) + timestamps(0xFFFF_FFFF, 0)


def _sack(blocks: int, shift: int = 0) -> bytes:
    """SACK of `blocks` blocks behind two NOPs, every edge `shift` lower."""
    return nops(2) + sack(*((edge - shift) % _MODULUS for edge in _EDGES[: 2 * blocks]))


_LAYOUTS = {
    "timestamps": (_TS, _TS),
    **{f"SACK {blocks}": (_sack(blocks), _sack(blocks, DELTA)) for blocks in (1, 2, 3, 4)},
    **{f"timestamps, SACK {blocks}": (_TS + _sack(blocks), _TS + _sack(blocks, DELTA)) for blocks in (1, 2, 3)},
}
"""As they come from the client, and as they leave for the server."""

_CASES: dict[str, dict[str, object]] = {
    "alone": {},
    "payload": {"payload": b"odd", "flags": ACK | PSH},
    "no ACK": {"flags": PSH, "payload": b"data"},
    "padding": {"padding": b"\xca\xfe\x01"},
    "corrupt": {"tcp_error": 0x00FF, "ip_error": 0x0F00, "payload": b"x"},
}


def _with(packet: Tcp, fields: dict[str, object]) -> Tcp:
    return replace(packet, **fields)  # type: ignore[arg-type]


def _known(name: str, fields: dict[str, object], arrives: bytes, leaves: bytes) -> tuple[Vector, Vector]:
    acknowledgment = UP_LEFT.acknowledgment if _with(UP, fields).flags & ACK else UP.acknowledgment
    up_left = replace(UP_LEFT, options=leaves, acknowledgment=acknowledgment)
    return (
        to_server(f"layout {name}", _with(replace(UP, options=arrives), fields), _with(up_left, fields)),
        to_client(
            f"layout {name}",
            _with(replace(DOWN, options=arrives), fields),
            _with(replace(DOWN_LEFT, options=arrives), fields),
        ),
    )


_KNOWN = tuple(
    vector
    for layout, (arrives, leaves) in _LAYOUTS.items()
    for case, fields in _CASES.items()
    for vector in _known(f"{layout}, {case}", fields, arrives, leaves)
)

_OFF_THE_LIST = {
    "one word of NOPs": nops(4),
    "two words of NOPs": nops(8),
    "three words of NOPs": nops(12),
    "ten words of NOPs": nops(40),
    "timestamps and a word more": _TS + nops(4),
    "timestamps and two words more": _TS + nops(8),
    "timestamps and as much as SACK 1": _TS + nops(12),
    "timestamps and as much as SACK 2": _TS + nops(20),
    "timestamps and as much as SACK 3": _TS + nops(28),
    "timestamps and as much as SACK 4 and no more": _TS + _sack(2) + nops(4),
    "timestamps, SACK 1 and a word more": _TS + _sack(1) + nops(4),
    "timestamps, SACK 1 and as much as a block": _TS + _sack(1) + nops(8),
    "timestamps, SACK 2 and as much as a block": _TS + _sack(2) + nops(8),
    "timestamps twice": _TS + _TS,
    "SACK 1 and timestamps": _sack(1) + _TS,
    "SACK 1 and a word more": _sack(1) + nops(4),
    "SACK 1 and as much as a block": _sack(1) + nops(8),
    "SACK 2 and as much as a block": _sack(2) + nops(8),
    "SACK 3 and as much as a block": _sack(3) + nops(8),
    "SACK 1 and as much as two blocks": _sack(1) + nops(16),
    "SACK 1 twice": _sack(1) + _sack(1),
    "SACK 2 that has room for one": _sack(2)[:12],
    "SACK 4 that has room for three": _sack(4)[:28],
    "SACK 5": b"\1\1\5\x2a" + bytes(36),
    "SACK with END in front": b"\0\1" + _sack(1)[2:],
    "SACK behind one END": b"\1\0" + _sack(1)[2:],
    "timestamps of length 11": b"\1\1\x08\x0b" + bytes(8),
    "SACK of length 9": b"\1\1\x05\x09" + bytes(8),
    "SACK of length 11": b"\1\1\x05\x0b" + bytes(8),
    "MSS": b"\2\4\5\xb4",
    "an unknown option": b"\xfe\4ab",
}

_UNKNOWN = (
    *(
        punted(f"switch, {name}", Reason.OPTIONS, replace(UP, options=options))
        for name, options in _OFF_THE_LIST.items()
    ),
    punted("switch, toward the client", Reason.OPTIONS, replace(DOWN, options=nops(4)), SERVER_PORT),
    punted("switch, of a FIN", Reason.OPTIONS, replace(UP, options=nops(4), flags=ACK | FIN)),
    punted("switch, of a reset", Reason.OPTIONS, replace(UP, options=nops(4), flags=RST)),
    punted("switch, with TTL 1", Reason.OPTIONS, replace(UP, options=nops(4), ttl=1)),
    punted(
        "switch, before the pivot",
        Reason.OPTIONS,
        replace(UP, options=nops(4), payload=b"x"),
        splice=replace(PLAIN, pivot=1),
    ),
    punted(
        "switch, behind timestamps",
        Reason.PIVOT,
        replace(UP, options=_TS, payload=b"x"),
        splice=replace(PLAIN, pivot=1),
    ),
    punted("switch, options off the list", Reason.SYN, replace(UP, options=nops(4), flags=SYN)),
    punted("switch, options that are known", Reason.SYN, replace(UP, options=_TS, flags=SYN)),
    punted("switch, a listener has no eye for options", Reason.MISS, replace(UP, source=STRANGER, options=nops(4))),
    Vector(
        "injected on a switch: options off the list",
        Injection(replace(UP, options=nops(4)).injected(Action.TRANSLATE, CLIENT_PORT)),
        Punted(Reason.OPTIONS, replace(UP, options=nops(4)).punted(Reason.OPTIONS, CLIENT_PORT)),
    ),
    Vector(
        "dropped malformed: switch, options off the list",
        Arrival(CLIENT_PORT, replace(UP, options=nops(4), total_length=43).arriving(CLIENT_PORT)),
        Dropped(Drop.MALFORMED),
    ),
    Vector(
        "dropped malformed: switch, timestamps past the total length",
        Arrival(CLIENT_PORT, replace(UP, options=_TS, total_length=51).arriving(CLIENT_PORT)),
        Dropped(Drop.MALFORMED),
    ),
    Vector(
        "dropped ttl: switch, behind timestamps and SACK",
        Arrival(CLIENT_PORT, replace(UP, options=_TS + _sack(3), ttl=1).arriving(CLIENT_PORT)),
        Dropped(Drop.TTL),
    ),
)

_LONGEST = replace(UP, options=_TS + _sack(3)).packet()
_FOUR = replace(UP, options=_sack(4)).packet()
_BARE = replace(UP, options=_TS).packet()


def _cut(name: str, data: bytes, length: int) -> tuple[Vector, Vector]:
    """`data` of a spliced client in a frame that ends after `length` bytes of options."""
    short = data[: 40 + length]
    punt = Punted(Reason.MISS, cpu_frame(Reason.MISS, CLIENT_PORT, short))
    return (
        Vector(f"cut short: {name}", Arrival(CLIENT_PORT, arriving(short, CLIENT_PORT)), punt),
        Vector(
            f"cut short: {name}, injected",
            Injection(cpu_frame(Action.TRANSLATE, CLIENT_PORT, short)),
            Dropped(Drop.STALE),
        ),
    )


_CUT = (
    *_cut("before the options", _BARE, 0),
    *_cut("within the first word", _BARE, 3),
    *_cut("behind the first word of timestamps", _BARE, 4),
    *_cut("within timestamps", _BARE, 11),
    *_cut("behind the timestamps that SACK should follow", _LONGEST, 12),
    *_cut("within the first word of SACK", _LONGEST, 15),
    *_cut("behind the first word of SACK", _LONGEST, 16),
    *_cut("within the first block behind timestamps", _LONGEST, 23),
    *_cut("within the last edge behind timestamps", _LONGEST, 39),
    *_cut("behind the first block of four", _FOUR, 12),
    *_cut("behind the third block of four", _FOUR, 28),
    *_cut("within the last edge of four blocks", _FOUR, 35),
    *_cut("a word of options that no layout has", replace(UP, options=nops(4)).packet(), 3),
    Vector(
        "cut short: off the list behind the first word",
        Arrival(CLIENT_PORT, arriving(replace(UP, options=nops(8)).packet()[:44], CLIENT_PORT)),
        Punted(Reason.OPTIONS, cpu_frame(Reason.OPTIONS, CLIENT_PORT, replace(UP, options=nops(8)).packet()[:44])),
    ),
)

VECTORS = (*_KNOWN, *_UNKNOWN, *_CUT)
