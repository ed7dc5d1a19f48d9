"""Connections to talk about."""

from __future__ import annotations

from dataclasses import replace

from fastpath.pipeline.digest import digest
from fastpath.records import Flow, Listener, NextHop, Server, Splice
from slowpath.wire.endpoint import Endpoint

VIP, OTHER_VIP = Endpoint.parse("10.1.0.100:80"), Endpoint.parse("10.1.0.101:80")
SERVER = Server(7, Endpoint.parse("10.2.0.2:8080"))
OTHER_SERVER = Server(8, Endpoint.parse("10.2.0.3:8080"))
SERVERS = (SERVER, OTHER_SERVER)
LISTENER = Listener(VIP)
TO_SERVERS = NextHop((bytes((10, 2, 0, 0)), 16), 1, bytes.fromhex("02000000d001"), bytes.fromhex("02000000d0fe"))
TO_CLIENTS = NextHop((bytes((10, 1, 0, 0)), 16), 0, bytes.fromhex("02000000c001"), bytes.fromhex("02000000c0fe"))
NEXT_HOPS = (TO_SERVERS, TO_CLIENTS)
SNAT = Endpoint.parse("10.2.0.77:61000")


def client(port: int) -> Endpoint:
    return Endpoint(bytes((10, 1, 0, 2)), port)


def splice(port: int = 1, /, **changes: object) -> Splice:
    """The splice of the client's port `port`."""
    plain = Splice(Flow(client(port), VIP), SERVER.endpoint, SERVER.id, client(port), delta=5)
    return replace(plain, **changes)  # type: ignore[arg-type]


def colliding(count: int, bits: int, group: int = 1) -> list[int]:
    """Ports of the client whose connections have the same digest as the first one's."""
    ports = range(1, 1 << 16)
    wanted = digest(client(1), group, bits)
    found = [port for port in ports if digest(client(port), group, bits) == wanted]
    return found[:count]
