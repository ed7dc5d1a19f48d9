"""On a host: requests at the pivot that follow a precedent, and others that nearly do."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.records import HEAD_LIMIT, Direction, Drop, Precedent, Reason, Splice
from fastpath.verdict import Dropped, Punted, Sent
from tests.conformance.packets import ACK, CWR, ECE, FIN, PSH, RST, URG, Tcp, nops
from tests.conformance.target import CLIENT_PORT, SERVER_PORT, Rules
from tests.conformance.vectors.ipv6_model import PLAIN6, RULES6
from tests.conformance.vectors.model import (
    DOWN,
    PLAIN,
    RULES,
    SERVER,
    UP,
    UP_LEFT,
    VIP,
    Arrival,
    Counted,
    Injection,
    Stimulus,
    Vector,
    down,
    up,
)

LABEL, OTHER_LABEL = 3, 4095
FOR_EVER = 1e9
"""Seconds: later than any clock of a test."""
HEAD = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
_PIVOT, _START = UP.sequence, UP.acknowledgment
FOLLOWING = replace(PLAIN, pivot=_PIVOT, follows_precedents=True)


def _held(head: bytes = HEAD, **changes: object) -> Precedent:
    precedent = Precedent(VIP, SERVER, PLAIN.server_id, head, LABEL, FOR_EVER)
    return replace(precedent, **changes)  # type: ignore[arg-type]


def _rules(splice: Splice, *precedents: Precedent) -> Rules:
    others = (other for other in RULES.splices if other.flow != splice.flow)
    return replace(RULES, splices=(*others, splice), precedents=precedents)


_RULES = _rules(FOLLOWING, _held())
_REQUEST = replace(UP, payload=HEAD, flags=ACK | PSH)
_ANSWERED = _START + 200
"""What the client acknowledges once it has an answer."""


def _left(packet: Tcp) -> Tcp:
    """A packet of the client's as it leaves."""
    return replace(
        packet,
        destination=SERVER,
        acknowledgment=(packet.acknowledgment + UP_LEFT.acknowledgment - UP.acknowledgment) % 2**32,
        ttl=packet.ttl - 1,
    )


def _sent(name: str, packet: Tcp, *before: Stimulus, rules: Rules = _RULES, followed: int | None = LABEL) -> Vector:
    length = len(packet.packet()) - len(packet.padding)
    return Vector(
        f"precedent: {name}",
        up(packet),
        Sent(SERVER_PORT, _left(packet).leaving(SERVER_PORT)),
        Counted(PLAIN.server_id, Direction.TO_SERVER, length),
        before=before,
        rules=rules,
        followed=followed,
    )


def _punted(name: str, packet: Tcp, *before: Stimulus, rules: Rules = _RULES) -> Vector:
    verdict = Punted(Reason.PIVOT, packet.punted(Reason.PIVOT, CLIENT_PORT))
    return Vector(f"no precedent: {name}", up(packet), verdict, before=before, rules=rules)


_SECOND = replace(_REQUEST, sequence=_PIVOT + len(HEAD), acknowledgment=_ANSWERED)
_THIRD = replace(_SECOND, sequence=_SECOND.sequence + len(HEAD), acknowledgment=_ANSWERED + 1)
_WRAPPING = replace(FOLLOWING, pivot=2**32 - 5)
_WRAPPED = replace(_REQUEST, sequence=2**32 - 5)
_LONGEST = bytes(number * 7 % 256 for number in range(HEAD_LIMIT))
_CLIENT_FIN = up(replace(UP, sequence=_PIVOT - 1, flags=ACK | FIN))
_SERVER_FIN = down(replace(DOWN, flags=ACK | FIN, payload=b"bye"))
_INJECTED = Injection(_REQUEST.injected(Action.TRANSLATE, CLIENT_PORT))
_NOT_FOLLOWING = replace(FOLLOWING, follows_precedents=False)
_SERVER_RESET = down(replace(DOWN, flags=RST))

_LENGTHS = tuple(
    _sent(
        f"{length} bytes",
        replace(_REQUEST, payload=_LONGEST[:length]),
        rules=_rules(FOLLOWING, _held(_LONGEST[:length])),
    )
    for length in (1, 7, 8, 9, 63, 64, 65, HEAD_LIMIT - 1, HEAD_LIMIT)
)

VECTORS = (
    _sent("the head at the pivot", _REQUEST),
    *_LENGTHS,
    _sent("TCP options do not belong to the head", replace(_REQUEST, options=nops(12))),
    _sent("padding does not belong to the head", replace(_REQUEST, padding=b"pad")),
    _sent("without PSH", replace(_REQUEST, flags=ACK)),
    _sent("what ECN says does not matter", replace(_REQUEST, flags=ACK | PSH | ECE | CWR)),
    _sent("one of several", _REQUEST, rules=_rules(FOLLOWING, _held(b"x"), _held(), _held(HEAD[1:]))),
    _sent("the label of its own", _REQUEST, rules=_rules(FOLLOWING, _held(label=OTHER_LABEL)), followed=OTHER_LABEL),
    _sent("the next one, once the answer has begun to arrive", _SECOND, up(_REQUEST)),
    _sent("one byte of an answer is enough", replace(_SECOND, acknowledgment=_START + 1), up(_REQUEST)),
    _sent("and the one after it", _THIRD, up(_REQUEST), up(_SECOND)),
    _sent("again, behind the pivot", _REQUEST, up(_REQUEST), followed=None),
    _sent("a part of it again, behind the pivot", replace(_REQUEST, payload=HEAD[:9]), up(_REQUEST), followed=None),
    _sent("across the wrap", _WRAPPED, rules=_rules(_WRAPPING, _held())),
    _sent(
        "behind the wrap",
        replace(_SECOND, sequence=len(HEAD) - 5),
        up(_WRAPPED),
        rules=_rules(_WRAPPING, _held()),
    ),
    _sent(
        "answers across the wrap",
        replace(_SECOND, acknowledgment=3),
        up(replace(_REQUEST, acknowledgment=2**32 - 3)),
    ),
    _sent(
        "what was dropped on its way is behind the pivot",
        _REQUEST,
        up(replace(_REQUEST, ttl=1)),
        followed=None,
    ),
    Vector(
        "precedent: TTL 1",
        up(replace(_REQUEST, ttl=1)),
        Dropped(Drop.TTL),
        rules=_RULES,
        followed=LABEL,
    ),
    Vector(
        "precedent: none for what was injected",
        _INJECTED,
        Sent(SERVER_PORT, _left(_REQUEST).leaving(SERVER_PORT)),
        Counted(PLAIN.server_id, Direction.TO_SERVER, len(_REQUEST.packet())),
        rules=_RULES,
    ),
    _sent(
        "after an injection that moved nothing", _REQUEST, Injection(_REQUEST.injected(Action.TRANSLATE, CLIENT_PORT))
    ),
    _punted("of a splice that follows none", _REQUEST, rules=_rules(_NOT_FOLLOWING, _held())),
    _punted("none held", _REQUEST, rules=_rules(FOLLOWING)),
    _punted("one that is over", _REQUEST, rules=_rules(FOLLOWING, _held(until=0.0))),
    _punted("of another server", _REQUEST, rules=_rules(FOLLOWING, _held(server=SERVER._replace(port=81)))),
    _punted("of another id", _REQUEST, rules=_rules(FOLLOWING, _held(server_id=9))),
    _punted("of another VIP", _REQUEST, rules=_rules(FOLLOWING, _held(vip=VIP._replace(port=81)))),
    _punted("a head that differs in its last byte", replace(_REQUEST, payload=HEAD[:-1] + b"\r")),
    _punted("a head that differs in its first byte", replace(_REQUEST, payload=b"g" + HEAD[1:])),
    _punted("a head without its end", replace(_REQUEST, payload=HEAD[:-1])),
    _punted("a head and a byte", replace(_REQUEST, payload=HEAD + b"\0")),
    _punted("two heads", replace(_REQUEST, payload=HEAD + HEAD)),
    _punted(
        "longer than any",
        replace(_REQUEST, payload=_LONGEST + b"x"),
        rules=_rules(FOLLOWING, _held(_LONGEST + b"x")),
    ),
    _punted("before the pivot", replace(_REQUEST, sequence=_PIVOT - 1)),
    _punted("behind the pivot", replace(_REQUEST, sequence=_PIVOT + 1)),
    _punted("the next one before any answer", replace(_SECOND, acknowledgment=_START), up(_REQUEST)),
    _punted("the next one with an older ACK", replace(_SECOND, acknowledgment=_START - 1), up(_REQUEST)),
    _punted("with a FIN", replace(_REQUEST, flags=ACK | PSH | FIN)),
    _punted("with URG", replace(_REQUEST, flags=ACK | PSH | URG)),
    _punted("with a RST", replace(_REQUEST, flags=ACK | RST)),
    _punted("without ACK", replace(_REQUEST, flags=PSH)),
    _punted("after a FIN of the client", _REQUEST, _CLIENT_FIN),
    _punted("after a FIN of the server", _REQUEST, _SERVER_FIN),
    _punted("after a RST", _REQUEST, _SERVER_RESET),
    _punted("the next one, after a FIN of the server", _SECOND, up(_REQUEST), _SERVER_FIN),
)

_FOLLOWING6 = replace(PLAIN6, pivot=_PIVOT, follows_precedents=True)
_REQUEST6 = Tcp(source=PLAIN6.flow.client, destination=PLAIN6.flow.vip, payload=HEAD)
VECTORS6 = (
    Vector(
        "precedent: IPv6",
        Arrival(CLIENT_PORT, _REQUEST6.arriving(CLIENT_PORT)),
        Sent(
            SERVER_PORT,
            replace(
                _REQUEST6,
                destination=PLAIN6.server,
                acknowledgment=(_START - PLAIN6.delta) % 2**32,
                ttl=63,
            ).leaving(SERVER_PORT),
        ),
        Counted(PLAIN6.server_id, Direction.TO_SERVER, len(_REQUEST6.packet())),
        rules=replace(
            RULES6,
            splices=(*(splice for splice in RULES6.splices if splice.flow != PLAIN6.flow), _FOLLOWING6),
            precedents=(Precedent(PLAIN6.flow.vip, PLAIN6.server, PLAIN6.server_id, HEAD, LABEL, FOR_EVER),),
        ),
        followed=LABEL,
    ),
)
