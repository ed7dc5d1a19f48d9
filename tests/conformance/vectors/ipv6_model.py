"""The network that the vectors with IPv6 share, beside that of all others."""

from __future__ import annotations

import struct
from dataclasses import replace

from fastpath.records import Drop, Flow, Listener, Reason, Server, Splice
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import Tcp
from tests.conformance.target import BOTH_VERSIONS, CLIENT_PORT, Rules
from tests.conformance.vectors import model
from tests.conformance.vectors.model import CLIENT, DELTA, RULES, SERVER, SNAT, TIMESTAMP_DELTA, VIP, Vector

VIP6 = Endpoint.parse("[2001:db8:1::100]:80")
SERVER6 = Endpoint.parse("[2001:db8:2::2]:8080")
FAR_SERVER6 = Endpoint.parse("[2001:db8:ffff::10]:80")
CLIENT6 = Endpoint.parse("[2001:db8:1::2]:40000")
STRANGER6 = Endpoint.parse("[2001:db8:1::77]:1234")
SNAT6 = Endpoint.parse("[2001:db8:2::17]:50001")

PLAIN6 = Splice(Flow(CLIENT6, VIP6), SERVER6, 7, CLIENT6, DELTA, TIMESTAMP_DELTA)
SNATTED6 = Splice(Flow(Endpoint.parse("[2001:db8:1::3]:40001"), VIP6), SERVER6, 7, SNAT6, DELTA, TIMESTAMP_DELTA)
TO_NOWHERE6 = Splice(
    Flow(Endpoint.parse("[2001:db8:1::5]:40003"), VIP6), FAR_SERVER6, 9, Endpoint.parse("[2001:db8:1::5]:40003"), DELTA
)
SIX_TO_FOUR = Splice(
    Flow(Endpoint.parse("[2001:db8:1::64]:40064"), VIP6),
    SERVER,
    7,
    Endpoint(SNAT.address, 50064),
    DELTA,
    TIMESTAMP_DELTA,
)
"""Of a client with IPv6 to a server with IPv4."""
FOUR_TO_SIX = Splice(
    Flow(Endpoint(CLIENT.address, 40046), VIP), SERVER6, 7, Endpoint(SNAT6.address, 50046), DELTA, TIMESTAMP_DELTA
)
"""The other way round."""

RULES6 = Rules(
    listeners=(*RULES.listeners, Listener(VIP6)),
    servers=(*RULES.servers, Server(8, SERVER6)),
    splices=(*RULES.splices, PLAIN6, SNATTED6, TO_NOWHERE6, SIX_TO_FOUR, FOUR_TO_SIX),
    next_hops=BOTH_VERSIONS,
)

UP6 = Tcp(source=CLIENT6, destination=VIP6)
"""A packet of PLAIN6 from the client, as it arrives."""
UP6_LEFT = replace(UP6, destination=SERVER6, acknowledgment=(2000 - DELTA) % 2**32, ttl=63)
DOWN6 = Tcp(source=SERVER6, destination=CLIENT6)
"""A packet of PLAIN6 from the server, as it arrives."""
DOWN6_LEFT = replace(DOWN6, source=VIP6, sequence=1000 + DELTA, ttl=63)


def extension(following: int, length: int = 8) -> bytes:
    """An extension header of `length` bytes in front of `following`, with nothing but Pad1 options (RFC 8200) in it."""
    return bytes((following, length // 8 - 1)) + bytes(length - 2)


def fragment(following: int, offset: int = 0, more: int = 1) -> bytes:
    """A Fragment header (RFC 8200 section 4.5); `offset` in units of eight bytes."""
    return struct.pack("!BBHI", following, 0, offset << 3 | more, 0x1C46)


def with_splice6(splice: Splice) -> Rules:
    """RULES6 with `splice` in place of the one of its flow."""
    return replace(RULES6, splices=(*(other for other in RULES6.splices if other.flow != splice.flow), splice))


def to_server(name: str, arrives: Tcp, leaves: Tcp, splice: Splice = PLAIN6) -> Vector:
    """As in `model`."""
    return _among(model.to_server(name, arrives, leaves, splice), splice)


def to_client(name: str, arrives: Tcp, leaves: Tcp, splice: Splice = PLAIN6) -> Vector:
    """As in `model`."""
    return _among(model.to_client(name, arrives, leaves, splice), splice)


def punted(name: str, reason: Reason, packet: Tcp, port: int = CLIENT_PORT, splice: Splice = PLAIN6) -> Vector:
    """As in `model`."""
    return _among(model.punted(name, reason, packet, port, splice), splice)


def dropped(name: str, reason: Drop, packet: Tcp, port: int = CLIENT_PORT, splice: Splice = PLAIN6) -> Vector:
    """As in `model`."""
    return _among(model.dropped(name, reason, packet, port, splice), splice)


def passed(name: str, packet: Tcp, port: int = CLIENT_PORT) -> Vector:
    """As in `model`, of a packet."""
    return passed_frame(name, packet.arriving(port), port)


def passed_frame(name: str, frame: bytes, port: int = CLIENT_PORT) -> Vector:
    """As in `model`."""
    return _among(model.passed(name, frame, port), PLAIN6)


def _among(vector: Vector, splice: Splice) -> Vector:
    kind, _, name = vector.name.partition(": ")
    return replace(vector, name=f"IPv6, {kind}: {name}", rules=with_splice6(splice))
