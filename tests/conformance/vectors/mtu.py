"""On a host: packets that are longer than their next hop takes."""

from __future__ import annotations

from dataclasses import replace

from fastpath.frame import Action
from fastpath.records import Direction, Drop, Flow, Reason, Splice
from fastpath.verdict import Dropped, Punted, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import Tcp, nops
from tests.conformance.target import BOTH_VERSIONS, CLIENT_PORT, NARROW, NARROW_MTU, SERVER_PORT
from tests.conformance.vectors.ipv6_model import RULES6, VIP6
from tests.conformance.vectors.model import DELTA, VIP, Arrival, Counted, Injection, Stimulus, Vector

_CLIENT, _SERVER = Endpoint.parse("10.1.9.2:40900"), Endpoint.parse("10.2.9.2:8080")
_CLIENT6, _SERVER6 = Endpoint.parse("[2001:db8:1:9::2]:40900"), Endpoint.parse("[2001:db8:2:9::2]:8080")
_SNAT, _SNAT6 = Endpoint.parse("10.2.0.17:50900"), Endpoint.parse("[2001:db8:2::17]:50900")
_SPLICES = {
    "4 to 4": Splice(Flow(_CLIENT, VIP), _SERVER, 7, _SNAT, DELTA),
    "6 to 6": Splice(Flow(_CLIENT6, VIP6), _SERVER6, 7, _SNAT6, DELTA),
    "6 to 4": Splice(Flow(_CLIENT6._replace(port=40901), VIP6), _SERVER, 7, _SNAT._replace(port=50901), DELTA),
    "4 to 6": Splice(Flow(_CLIENT._replace(port=40901), VIP), _SERVER6, 7, _SNAT6._replace(port=50901), DELTA),
}
_RULES = replace(RULES6, splices=(*RULES6.splices, *_SPLICES.values()), next_hops=(*BOTH_VERSIONS, *NARROW))
_PORTS = {Direction.TO_SERVER: (CLIENT_PORT, SERVER_PORT), Direction.TO_CLIENT: (SERVER_PORT, CLIENT_PORT)}


def _length(packet: Tcp) -> int:
    return len(packet.packet()) - len(packet.padding)


def _filled(packet: Tcp, length: int) -> Tcp:
    """`packet` with as much payload as makes it `length` bytes long."""
    return replace(packet, payload=bytes(length - _length(packet)))


def _pair(name: str, direction: Direction, excess: int, **fields: object) -> tuple[Tcp, Tcp]:
    """A packet of a splice as it arrives and as it leaves, `excess` bytes longer than the next hop takes."""
    translation = _SPLICES[name].translations()[direction]
    arrives, leaves = (
        replace(Tcp(source=ends[0], destination=ends[1]), **fields)  # type: ignore[arg-type]
        for ends in (translation.match, translation.becomes)
    )
    leaves = _filled(
        replace(
            leaves,
            ttl=arrives.ttl - 1,
            sequence=arrives.sequence + translation.sequence,
            acknowledgment=(arrives.acknowledgment + translation.acknowledgment) % 2**32,
            identification=0 if arrives.is_ipv6 != leaves.is_ipv6 else arrives.identification,
            fragment=0x4000 if arrives.is_ipv6 != leaves.is_ipv6 else arrives.fragment,
        ),
        NARROW_MTU + excess,
    )
    return replace(arrives, payload=leaves.payload), leaves


def _vector(name: str, stimulus: Stimulus, verdict: Punted | Sent | Dropped, counted: Counted | None = None) -> Vector:
    return Vector(f"MTU, {name}", stimulus, verdict, counted, rules=_RULES)


def _too_long(packet: Tcp, port: int) -> Punted:
    frame = packet.punted(Reason.MTU, port)
    return Punted(Reason.MTU, frame[:6] + NARROW_MTU.to_bytes(2, "big") + frame[8:])


def _fits(name: str, direction: Direction, what: str = "as long as it may be", **fields: object) -> Vector:
    arrives, leaves = _pair(name, direction, 0, **fields)
    arrival, departure = _PORTS[direction]
    return _vector(
        f"sent: {name}, {direction.name.lower()}, {what}",
        Arrival(arrival, arrives.arriving(arrival)),
        Sent(departure, leaves.leaving(departure)),
        Counted(7, direction, _length(arrives)),
    )


def _exceeds(name: str, direction: Direction, what: str = "one byte too long", **fields: object) -> Vector:
    arrives, _ = _pair(name, direction, 1, **fields)
    arrival, _ = _PORTS[direction]
    stimulus = Arrival(arrival, arrives.arriving(arrival))
    return _vector(f"punted: {name}, {direction.name.lower()}, {what}", stimulus, _too_long(arrives, arrival))


_UP, _DOWN = Direction
_LONG, _LONG_LEFT = _pair("4 to 4", _UP, 1)
_OWN = replace(_LONG_LEFT, ttl=64)
_OWN_FITS = replace(_OWN, payload=_OWN.payload[1:])

VECTORS = (
    *(_fits(name, direction) for name in _SPLICES for direction in Direction),
    *(_exceeds(name, direction) for name in _SPLICES for direction in Direction),
    _fits("4 to 4", _UP, "padding does not count", padding=bytes(6)),
    _fits("4 to 4", _UP, "TCP options count", options=nops(8)),
    _exceeds("4 to 4", _UP, "TCP options count", options=nops(8)),
    _exceeds("4 to 4", _UP, "it may be fragmented", fragment=0),
    _exceeds("4 to 4", _UP, "with padding", padding=bytes(6)),
    _vector(
        "the TTL comes first",
        Arrival(CLIENT_PORT, replace(_LONG, ttl=1).arriving(CLIENT_PORT)),
        Dropped(Drop.TTL),
    ),
    _vector(
        "punted: injected to translate",
        Injection(_LONG.injected(Action.TRANSLATE, CLIENT_PORT)),
        _too_long(_LONG, CLIENT_PORT),
    ),
    _vector("punted: a packet of our own", Injection(_OWN.injected(Action.ROUTE, CLIENT_PORT)), _too_long(_OWN, 0)),
    _vector(
        "sent: a packet of our own",
        Injection(_OWN_FITS.injected(Action.ROUTE, CLIENT_PORT)),
        Sent(SERVER_PORT, _OWN_FITS.leaving(SERVER_PORT)),
    ),
)
