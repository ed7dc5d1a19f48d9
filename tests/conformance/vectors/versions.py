"""Splices between IP versions: a client with IPv6 of a server with IPv4, and the other way round."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.interface import Closed
from fastpath.records import Direction, Drop, Reason
from fastpath.verdict import Sent
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import HOP_BY_HOP
from tests.conformance.packets import ACK, FIN, PSH, RST, Tcp, nops, timestamps
from tests.conformance.target import CLIENT_PORT, SERVER_PORT
from tests.conformance.vectors.ipv6_model import (
    FOUR_TO_SIX,
    RULES6,
    SIX_TO_FOUR,
    dropped,
    extension,
    punted,
    to_client,
    to_server,
)
from tests.conformance.vectors.model import (
    DELTA,
    TIMESTAMP_DELTA,
    Arrival,
    Counted,
    Injection,
    Vector,
)


def _arriving(match: tuple[Endpoint, Endpoint]) -> Tcp:
    return Tcp(source=match[0], destination=match[1])


def _leaving(becomes: tuple[Endpoint, Endpoint], direction: Direction) -> Tcp:
    """What a packet of `_arriving` leaves as: made anew by RFC 7915, so DF is set and the identification is 0."""
    packet = Tcp(source=becomes[0], destination=becomes[1], ttl=63, identification=0)
    if direction is Direction.TO_SERVER:
        return replace(packet, acknowledgment=(2000 - DELTA) % 2**32)
    return replace(packet, sequence=1000 + DELTA)


_TO_SERVER, _TO_CLIENT = Direction
_UP64, _DOWN64 = (_arriving(translation.match) for translation in SIX_TO_FOUR.translations())
_UP64_LEFT, _DOWN64_LEFT = (_leaving(one.becomes, one.direction) for one in SIX_TO_FOUR.translations())
_UP46, _DOWN46 = (_arriving(translation.match) for translation in FOUR_TO_SIX.translations())
_UP46_LEFT, _DOWN46_LEFT = (_leaving(one.becomes, one.direction) for one in FOUR_TO_SIX.translations())


def _all(name: str, **fields: object) -> tuple[Vector, ...]:
    """One vector in each direction of each splice, in which `fields` must not change."""
    return (
        to_server(f"6 to 4, {name}", _with(_UP64, fields), _with(_UP64_LEFT, fields), SIX_TO_FOUR),
        to_client(f"4 to 6, {name}", _with(_DOWN64, fields), _with(_DOWN64_LEFT, fields), SIX_TO_FOUR),
        to_server(f"4 to 6, {name}", _with(_UP46, fields), _with(_UP46_LEFT, fields), FOUR_TO_SIX),
        to_client(f"6 to 4, {name}", _with(_DOWN46, fields), _with(_DOWN46_LEFT, fields), FOUR_TO_SIX),
    )


def _with(packet: Tcp, fields: dict[str, object]) -> Tcp:
    return replace(packet, **fields)  # type: ignore[arg-type]


_OPTIONS_IN = nops(2) + timestamps(1000, 2000)
_OPTIONS_UP = nops(2) + timestamps(1000, (2000 - TIMESTAMP_DELTA) % 2**32)
_OPTIONS_DOWN = nops(2) + timestamps(1000 + TIMESTAMP_DELTA, 2000)

VECTORS = (
    *_all("a bare ACK"),
    *_all("an even payload", payload=b"GET / HTTP/1.0\r\n\r\n", flags=ACK | PSH),
    *_all("an odd payload", payload=b"odd", flags=ACK | PSH),
    *_all("a large payload", payload=bytes(range(256)) * 5 + b"x" * 160),
    *_all("the traffic class stays", tos=0xBB),
    *_all("a TCP checksum that is off by one stays so", tcp_error=1),
    *_all("a TCP checksum that is off by 0x8000 stays so", tcp_error=0x8000, payload=b"corrupt"),
    *_all("link padding stays", padding=b"\xde\xad\xbe"),
    *_all("without the ACK flag", flags=PSH, acknowledgment=0)[1::2],
    to_server(
        "6 to 4, the flow label is lost",
        replace(_UP64, flow_label=0xABCDE),
        _UP64_LEFT,
        SIX_TO_FOUR,
    ),
    to_client(
        "4 to 6, identification and DF are lost",
        replace(_DOWN64, identification=0xFFFF, fragment=0),
        _DOWN64_LEFT,
        SIX_TO_FOUR,
    ),
    to_client(
        "4 to 6, a wrong IPv4 checksum is lost",
        replace(_DOWN64, ip_error=1),
        _DOWN64_LEFT,
        SIX_TO_FOUR,
    ),
    to_server(
        "6 to 4, timestamps", replace(_UP64, options=_OPTIONS_IN), replace(_UP64_LEFT, options=_OPTIONS_UP), SIX_TO_FOUR
    ),
    to_client(
        "4 to 6, timestamps",
        replace(_DOWN64, options=_OPTIONS_IN),
        replace(_DOWN64_LEFT, options=_OPTIONS_DOWN),
        SIX_TO_FOUR,
    ),
    to_server("6 to 4, hop limit 2", replace(_UP64, ttl=2), replace(_UP64_LEFT, ttl=1), SIX_TO_FOUR),
    to_client("4 to 6, TTL 255", replace(_DOWN64, ttl=255), replace(_DOWN64_LEFT, ttl=254), SIX_TO_FOUR),
    dropped("6 to 4, hop limit 1", Drop.TTL, replace(_UP64, ttl=1), splice=SIX_TO_FOUR),
    dropped("4 to 6, TTL 1", Drop.TTL, replace(_DOWN64, ttl=1), SERVER_PORT, splice=SIX_TO_FOUR),
    punted("4 to 6, IPv4 options", Reason.OPTIONS, replace(_UP46, ip_options=nops(4)), splice=FOUR_TO_SIX),
    punted(
        "6 to 4, an extension header",
        Reason.OPTIONS,
        replace(_UP64, protocol=HOP_BY_HOP, ip_options=extension(6)),
        splice=SIX_TO_FOUR,
    ),
    punted(
        "6 to 4, past it",
        Reason.PIVOT,
        replace(_UP64, sequence=4000, payload=b"next"),
        splice=replace(SIX_TO_FOUR, pivot=4000),
    ),
    Vector(
        "IPv6, injected to translate: 6 to 4",
        Injection(_UP64.injected(Action.TRANSLATE, CLIENT_PORT)),
        Sent(SERVER_PORT, _UP64_LEFT.leaving(SERVER_PORT)),
        Counted(7, _TO_SERVER, 60),
        rules=RULES6,
    ),
    replace(
        to_client("", replace(_DOWN64, flags=RST), replace(_DOWN64_LEFT, flags=RST), SIX_TO_FOUR),
        name="IPv6, closing: 4 to 6, a reset",
        closed=(Closed(SIX_TO_FOUR.flow, True, _TO_CLIENT),),
    ),
    replace(
        to_server(
            "",
            replace(_UP64, sequence=1001, acknowledgment=1001 + DELTA),
            replace(_UP64_LEFT, sequence=1001, acknowledgment=1001),
            SIX_TO_FOUR,
        ),
        name="IPv6, closing: 6 to 4, both FINs acknowledged",
        before=(
            Arrival(CLIENT_PORT, replace(_UP64, flags=ACK | FIN).arriving(CLIENT_PORT)),
            Arrival(SERVER_PORT, replace(_DOWN64, flags=ACK | FIN, acknowledgment=1001).arriving(SERVER_PORT)),
        ),
        closed=(Closed(SIX_TO_FOUR.flow, False, None),),
    ),
)
