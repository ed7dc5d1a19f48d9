"""Next hops with a tunnel (RFC 7348): the inner packet is what a neighbour would get."""

from __future__ import annotations

import struct
from dataclasses import replace

from fastpath.frame import Action
from fastpath.records import Direction, Drop, Flow, NextHop, Server, Splice, Vxlan
from fastpath.verdict import Dropped, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, Tcp, full_checksum, nops, sack, timestamps
from tests.conformance.target import ADDRESSES, CLIENT_PORT, NEXT_HOPS, SERVER_PORT, Rules
from tests.conformance.vectors.model import DELTA, RULES, VIP, Arrival, Counted, Injection, Vector

_FAR_SERVER = Endpoint.parse("10.9.0.2:8080")
_NEAR_SERVER = Endpoint.parse("10.9.0.200:8080")
_CLIENT, _NEAR_CLIENT = Endpoint.parse("10.1.0.2:40000"), Endpoint.parse("10.1.0.2:40001")
_FAR_CLIENT = Endpoint.parse("10.8.0.9:40002")

_TO_SERVERS = Vxlan(
    bytes((10, 2, 0, 1)), bytes((10, 2, 0, 20)), 42, ADDRESSES[SERVER_PORT], bytes.fromhex("020000009002")
)
_TO_CLIENTS = Vxlan(
    bytes((172, 31, 255, 1)), bytes((172, 16, 0, 9)), 0xFFFFFE, ADDRESSES[CLIENT_PORT], bytes.fromhex("020000008009")
)
_SERVER_SIDE = NextHop(
    (bytes((10, 9, 0, 0)), 24), SERVER_PORT, ADDRESSES[SERVER_PORT], bytes.fromhex("02000000d020"), _TO_SERVERS
)
_CLIENT_SIDE = NextHop(
    (bytes((10, 8, 0, 0)), 16), CLIENT_PORT, ADDRESSES[CLIENT_PORT], bytes.fromhex("02000000c020"), _TO_CLIENTS
)
TUNNELLED = tuple(
    replace(hop, tunnel=tunnel) for hop, tunnel in zip(NEXT_HOPS, (_TO_CLIENTS, _TO_SERVERS), strict=True)
)
"""The suite's next hops, each with a tunnel."""

_ADJACENT = NextHop((bytes((10, 9, 0, 192)), 26), SERVER_PORT, ADDRESSES[SERVER_PORT], bytes.fromhex("02000000d0c8"))


def _splice(client: Endpoint, server: Endpoint) -> Splice:
    return Splice(Flow(client, VIP), server, 7, client, DELTA)


TUNNELS = Rules(
    RULES.listeners,
    (Server(7, _FAR_SERVER), Server(8, _NEAR_SERVER)),
    (
        _splice(_CLIENT, _FAR_SERVER),
        replace(_splice(_NEAR_CLIENT, _NEAR_SERVER), server_id=8),
        _splice(_FAR_CLIENT, _FAR_SERVER),
    ),
    (*NEXT_HOPS, _SERVER_SIDE, _CLIENT_SIDE, _ADJACENT),
)

_SOURCE_PORT = 0xC000
"""Its low 14 bits are the target's own, and are not compared."""


def _through(hop: NextHop, inner: bytes, length: int) -> Sent:
    """`inner`, whose total length is `length`, as it leaves through the tunnel of `hop`."""
    tunnel = hop.tunnel
    assert tunnel is not None
    addresses = tunnel.source + tunnel.destination
    ip = struct.pack("!BBHHHBBH", 0x45, 0, (length + 50) % 2**16, 0, 0x4000, 64, 17, 0) + addresses
    ip = ip[:10] + full_checksum(ip) + ip[12:]
    udp = struct.pack("!HHHH", _SOURCE_PORT, 4789, (length + 30) % 2**16, 0)
    vxlan = bytes((8, 0, 0, 0)) + tunnel.vni.to_bytes(3, "big") + b"\0"
    ethernet = tunnel.destination_mac + tunnel.source_mac + b"\x08\0"
    outer = hop.destination_mac + hop.source_mac + b"\x08\0"
    return Sent(hop.port, outer + ip + udp + vxlan + ethernet + inner)


_UP, _DOWN = Tcp(source=_CLIENT, destination=VIP), Tcp(source=_FAR_SERVER, destination=_FAR_CLIENT)


def _up(name: str, **fields: object) -> Vector:
    """A packet to the server behind the tunnel, in which `fields` must not change."""
    packet = replace(_UP, **fields)  # type: ignore[arg-type]
    left = replace(packet, destination=_FAR_SERVER, acknowledgment=(2000 - DELTA) % 2**32, ttl=packet.ttl - 1)
    return _vector(name, packet, left, _SERVER_SIDE, Direction.TO_SERVER)


def _vector(name: str, packet: Tcp, left: Tcp, hop: NextHop, direction: Direction) -> Vector:
    port = CLIENT_PORT if direction is Direction.TO_SERVER else SERVER_PORT
    inner = left.packet()
    return Vector(
        f"tunnel: {name}",
        Arrival(port, packet.arriving(port)),
        _through(hop, inner, int.from_bytes(inner[2:4], "big")),
        Counted(7, direction, len(packet.packet())),
        rules=TUNNELS,
    )


_OWN = Tcp(source=Endpoint(bytes((10, 2, 0, 1)), 50000), destination=_FAR_SERVER, identification=7, ttl=1)


def _route(name: str, packet: Tcp) -> Vector:
    data = packet.packet()
    return Vector(
        f"tunnel: injected to route, {name}",
        Injection(packet.injected(Action.ROUTE, 0xFFFF)),
        _through(_SERVER_SIDE, data, int.from_bytes(data[2:4], "big")),
        rules=TUNNELS,
    )


_SACK = sack(DELTA, DELTA + 100)

VECTORS = (
    _up("a bare ACK"),
    _up("an odd payload", payload=b"odd"),
    _up("1460 bytes", payload=bytes(1460)),
    _up("padding stays behind", padding=b"\xde\xad\xbe\xef\x01"),
    _up("timestamps", options=nops(2) + timestamps(5, 6)),
    _up("TTL 2, DF clear, DSCP", ttl=2, fragment=0, tos=0xB8),
    _up("both checksums are wrong", ip_error=3, tcp_error=5, payload=b"x"),
    _up("a total length that carries", total_length=0x00CE, payload=bytes(8)),
    _up("a total length past 2^16 with the headers", total_length=0xFFE0),
    _up("the least total length that wraps the outer one", total_length=0xFFCE),
    _up("the least total length that wraps UDP's", total_length=0xFFE2),
    _vector(
        "SACK",
        replace(_UP, options=nops(2) + _SACK),
        replace(
            _UP,
            options=nops(2) + sack(0, 100),
            destination=_FAR_SERVER,
            acknowledgment=(2000 - DELTA) % 2**32,
            ttl=63,
        ),
        _SERVER_SIDE,
        Direction.TO_SERVER,
    ),
    _vector(
        "to a client",
        replace(_DOWN, payload=b"HTTP/1.1 200 OK\r\n\r\n", flags=ACK),
        replace(_DOWN, payload=b"HTTP/1.1 200 OK\r\n\r\n", flags=ACK, source=VIP, sequence=1000 + DELTA, ttl=63),
        _CLIENT_SIDE,
        Direction.TO_CLIENT,
    ),
    Vector(
        "tunnel: a longer prefix without one",
        Arrival(CLIENT_PORT, replace(_UP, source=_NEAR_CLIENT).arriving(CLIENT_PORT)),
        Sent(
            SERVER_PORT,
            _ADJACENT.destination_mac
            + _ADJACENT.source_mac
            + b"\x08\0"
            + replace(
                _UP,
                source=_NEAR_CLIENT,
                destination=_NEAR_SERVER,
                acknowledgment=(2000 - DELTA) % 2**32,
                ttl=63,
            ).packet(),
        ),
        Counted(8, Direction.TO_SERVER, 40),
        rules=TUNNELS,
    ),
    Vector(
        "tunnel: TTL 1",
        Arrival(CLIENT_PORT, replace(_UP, ttl=1).arriving(CLIENT_PORT)),
        Dropped(Drop.TTL),
        rules=TUNNELS,
    ),
    _route("TCP", _OWN),
    _route("UDP with padding", replace(_OWN, protocol=17, padding=b"pad")),
    _route("with IPv4 options", replace(_OWN, ip_options=bytes(8))),
)
