"""Where a switch does something else with a frame of the host's vectors: a closed list, by name (docs/fastpath.md)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace

from fastpath.frame import ETHERNET_LENGTH
from fastpath.interface import Closed
from fastpath.records import Direction, Drop, Reason
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from tests.conformance.packets import ACK, FIN, PSH, Tcp
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.model import DOWN_LEFT, PLAIN, UP_LEFT, VIP, Arrival, Counted, Vector

PERMITTED = {
    "passed": {
        "punted ARP",
        "punted ICMP",
        "punted MISS",
        "punted FRAGMENT",
        "punted OPTIONS",
        "dropped MALFORMED",
        "sent",
    },
    "sent": {"punted OPTIONS", "punted PIVOT"},
    "punted SYN": {"punted OPTIONS"},
    "punted PIVOT": {"punted OPTIONS"},
    "punted FRAGMENT": {"dropped STALE"},
    "punted FIN": {"sent", "dropped TTL"},
    "punted OPTIONS": {"dropped STALE"},
    "dropped MALFORMED": {"punted MISS", "punted OPTIONS"},
    "dropped STALE": {"dropped MALFORMED", "sent"},
    "dropped DENIED": {"punted SYN", "punted MISS", "punted OPTIONS"},
}
"""What a host decides, and what a switch may decide in its place."""

_PAST_THE_FRAME = replace(UP_LEFT, total_length=41)
_FIN_LEFT = replace(DOWN_LEFT, flags=ACK | FIN)

_DECISIONS: tuple[tuple[Reason | Drop | Tcp, tuple[str, ...]], ...] = (
    (Reason.ARP, ("passed: ARP",)),
    (Reason.ICMP, ("passed: ICMP to the VIP",)),
    (
        Reason.FRAGMENT,
        (
            "passed: a fragment to a server",
            "passed: a fragment to a spliced client",
            "expected: a fragment of the reply",
        ),
    ),
    (
        Reason.MISS,
        (
            "passed: IPv6",
            "passed: a spliced packet behind a VLAN tag",
            "passed: an unknown EtherType",
            "passed: one byte of IPv4",
            "passed: 19 bytes of IPv4",
            "passed: cut short within the TCP header",
            "passed: cut short by one byte",
            "passed: IHL 4",
            "passed: IHL 0",
            "passed: version 6 under IPv4's EtherType",
            "passed: UDP with the ports of a splice",
            "passed: another port of the VIP",
            "passed: another port of the VIP from a spliced client",
            "passed: the client straight to the server",
            "passed: the VIP to the client",
            "passed: the server to another port of the client",
            "passed: another port of the server to the client",
            "passed: a stranger's TTL 1",
            "passed: a fragment of UDP to the VIP",
            "expected: without the flag it passes",
            "expected: nothing was sent",
            "expected: another port",
            "expected: the probe's own direction passes",
            "expected: UDP is not expected",
            "expected: after a RST it passes",
            # The frame ends where options should begin.
            "dropped malformed: data offset past the end",
            "dropped malformed: toward the client",
            "dropped malformed: to a listener, data offset past the end",
            # The slow path keeps access lists.
            "access, dropped denied: an ACK",
            "access, dropped denied: data",
            "access, dropped denied: a reset",
            "access, passed: no listener's port",
        ),
    ),
    (
        Reason.SYN,
        tuple(
            f"access, dropped denied: {name}"
            for name in (
                "a denied network",
                "a denied host",
                "everybody",
                "all of IPv4 but half",
                "outside of what is allowed",
                "IPv6 alone is allowed",
                "in both lists",
                "a host of an allowed network",
            )
        ),
    ),
    (
        Reason.OPTIONS,
        (
            "access, dropped denied: a SYN with IPv4 options",
            "passed: IPv4 options past the total length",
            "dropped malformed: behind IPv4 options",
            "punted syn: with IPv4 options",
            "punted syn: of a spliced client with IPv4 options",
            "punted pivot: options do not count as payload",
            "to server: MSS and window scale stay",
            "to server: only padding",
            "to server: an unknown option that looks like timestamps",
            *(f"to server: timestamps at offset {lead}" for lead in (0, 1, 3, 29)),
            *(f"to client: timestamps at offset {lead}" for lead in (0, 1, 3, 29)),
            *(f"to server: SACK at offset {lead}" for lead in (0, 1, 3, 29)),
            "to server: SACK before timestamps",
            "to server: forty bytes, none of them padding",
            "to server: an unknown option is skipped",
            "to server: an unknown option of the least length",
            "to server: nothing after END is read",
            "to server: without the ACK flag TSecr stays, SACK edges do not",
            "to server: corrupt with options stays as corrupt",
        ),
    ),
    (
        Reason.PIVOT,
        (
            "to server: pivot, reaches it exactly",
            "to server: pivot, reaches it across the wrap",
            "to server: pivot, it is 0 and reached exactly",
            "to server: pivot, it is 2^32 - 1 and reached exactly",
            "to server: pivot, ends 2^31 - 1 bytes before it",
        ),
    ),
    (
        Drop.MALFORMED,
        (
            "passed: total length within the IPv4 header",
            "passed: total length 0",
            "passed: total length ends with the IPv4 header",
            "passed: total length ends within the ports",
            "injected to translate: total length ends within the ports",
        ),
    ),
    (
        Drop.STALE,
        (
            "injected to translate: a fragment to the VIP",
            "injected to translate: IPv4 options",
        ),
    ),
    (Drop.TTL, ("punted fin: of a server with TTL 1",)),
    (_FIN_LEFT, ("punted fin: of a server",)),
    (replace(_FIN_LEFT, flags=ACK | FIN | PSH), ("punted fin: of a server, pushed",)),
    (replace(_FIN_LEFT, padding=bytes(6)), ("punted fin: of a server, padding does not count as payload",)),
    (
        _PAST_THE_FRAME,
        (
            "passed: total length past the frame",
            "injected to translate: total length past the frame",
        ),
    ),
)
"""A packet is what leaves, for the client if it comes from the VIP, else for the server."""

_FINS, _RESET = False, True

_CLOSED: dict[str, tuple[bool, ...]] = {
    "both FINs, one of them acknowledged": (_FINS,),
    "both acknowledged, the client first": (),
    "both acknowledged, the server first": (),
    "each acknowledged on its own": (),
    "both at once": (),
    "acknowledged by data": (),
    "a FIN sent again": (),
    "a FIN behind data counts the data": (),
    "an ACK past the FIN covers it": (),
    "an ACK from before the FIN passed covers nothing": (_FINS,),
    "the FIN's end wraps": (),
    "a FIN that was injected counts": (),
    "an injected client FIN": (),
    "a reset that acknowledges the last FIN": (_RESET,),
}
"""By the name of a closing vector, what its last packet reports: a FIN before it has done so, or it is that FIN."""


def on_switch(vector: Vector) -> Vector:
    """`vector` without timestamp deltas, and counted as a switch does: all that follows the Ethernet header."""
    rules = replace(vector.rules, splices=tuple(replace(splice, timestamp_delta=0) for splice in vector.rules.splices))
    counted = vector.counted and replace(vector.counted, bytes=len(vector.stimulus.frame) - ETHERNET_LENGTH)
    return replace(vector, rules=rules, counted=counted)


def decision(verdict: Verdict) -> str:
    """What a verdict comes down to, in words."""
    kind = type(verdict).__name__.lower()
    return f"{kind} {verdict.reason.name}" if isinstance(verdict, Dropped | Punted) else kind


def adapted(vectors: Iterable[Vector]) -> tuple[Vector, ...]:
    """The vectors of a host as they hold for a switch; each entry of the lists above must be used and permitted."""
    verdicts = {name: decided for decided, names in _DECISIONS for name in names}
    closed = {f"closing: {name}": reports for name, reports in _CLOSED.items()}
    out = tuple(_adapted(vector, verdicts.pop(vector.name, None), closed.pop(vector.name, None)) for vector in vectors)
    assert not verdicts and not closed, f"there is no vector {[*verdicts, *closed]}"
    return out


def _adapted(vector: Vector, decided: Reason | Drop | Tcp | None, closed: tuple[bool, ...] | None) -> Vector:
    vector = on_switch(vector)
    if closed is not None:
        reports = tuple(Closed(PLAIN.flow, reset, Direction.TO_SERVER if reset else None) for reset in closed)
        assert reports != vector.closed, vector.name
        return replace(vector, closed=reports)
    if decided is None:
        assert vector.verdict != Passed(), f"{vector.name}: a switch does not pass frames"
        return vector
    verdict, counted = _verdict(vector, decided), None
    if isinstance(verdict, Sent):
        direction = Direction.TO_CLIENT if verdict.port == CLIENT_PORT else Direction.TO_SERVER
        counted = Counted(PLAIN.server_id, direction, len(vector.stimulus.frame) - ETHERNET_LENGTH)
    before, after = decision(vector.verdict), decision(verdict)
    assert after in PERMITTED[before], f"{vector.name}: {before} is no {after} on a switch"
    return replace(vector, verdict=verdict, counted=counted)


def _verdict(vector: Vector, decided: Reason | Drop | Tcp) -> Verdict:
    if isinstance(decided, Tcp):
        port = CLIENT_PORT if decided.source == VIP else SERVER_PORT
        return Sent(port, decided.leaving(port))
    if isinstance(decided, Drop):
        return Dropped(decided)
    arrival = vector.stimulus
    assert isinstance(arrival, Arrival), f"{vector.name}: what was injected is not punted for {decided}"
    head = struct.pack("!BBBHB", 2, decided, 0, arrival.port, 0x4C)
    return Punted(decided, head + arrival.frame[6:])
