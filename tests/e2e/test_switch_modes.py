"""Transparent and SNAT through the switch's program, to servers that are adjacent and one that is behind a tunnel."""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from deploy.laboratory import Laboratory, Namespace, Run, Server
from deploy.laboratory.configuration import pool
from deploy.laboratory.topology import CLIENT_ADDRESS, TUNNEL_DEVICE
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import ON_EVERY_SWITCH
from tests.e2e.sockets import packet_socket

pytestmark = ON_EVERY_SWITCH

_SNAT = ipaddress.ip_network("10.2.0.32/28")
_ETHERTYPE_IPV4, _UDP, _VXLAN_PORT = 0x0800, 17, 4789
_OUTER = struct.Struct("!BxHHHBBH4s4s HHHH BxxxI")
"""IPv4 without options, UDP and VXLAN."""
_VNI = 42
"""The one of `deploy.laboratory.topology`."""


@pytest.fixture(scope="module", params=["transparent", "snat"])
def source(request: pytest.FixtureRequest) -> object:
    return "transparent" if request.param == "transparent" else {"snat": [str(_SNAT)]}


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, source: object) -> Iterator[Run]:
    """The first server has the images, the one behind the tunnel has the API."""
    first, *_, last = (pool(server.address) for server in laboratory.servers)
    web = pool(*(server.address for server in laboratory.servers))
    started = laboratory.run(laboratory.config(source=source, pools={"images": first, "api": last, "web": web}))
    yield started
    assert started.stop() == 0, started.log_tail()


class Packet(NamedTuple):
    """The outer headers of a VXLAN packet, and the addresses of the IPv4 packet inside."""

    length: int
    flags: int
    ttl: int
    source: str
    destination: str
    source_port: int
    checksum: int
    vni: int
    inner_source: str
    inner_destination: str


class Tap:
    """Reads the VXLAN packets that reach `server`, from its entry on."""

    def __init__(self, server: Server) -> None:
        self._socket = packet_socket(server.namespace)
        self._socket.setblocking(False)
        self._socket.bind(("eth0", _ETHERTYPE_IPV4))

    def packets(self) -> list[Packet]:
        """What has arrived so far."""
        found = []
        while packet := self._receive():
            if packet[9] == _UDP and packet[22:24] == struct.pack("!H", _VXLAN_PORT):
                found.append(_outer(packet))
        return found

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(2048)
        except BlockingIOError:
            return None


def _outer(packet: bytes) -> Packet:
    _, length, _, flags, ttl, _, _, source, destination, source_port, _, _, checksum, _, vni = _OUTER.unpack_from(
        packet
    )
    inner = packet[_OUTER.size + 14 :]
    addresses = map(socket.inet_ntoa, (source, destination, inner[12:16], inner[16:20]))
    outer_source, outer_destination, inner_source, inner_destination = addresses
    return Packet(
        length,
        flags,
        ttl,
        outer_source,
        outer_destination,
        source_port,
        checksum,
        vni >> 8,
        inner_source,
        inner_destination,
    )


@pytest.fixture
def tap(laboratory: Laboratory) -> Iterator[Tap]:
    made = Tap(laboratory.servers[-1])
    yield made
    made.close()


def test_what_servers_see(laboratory: Laboratory, run: Run, source: object) -> None:
    answers = [curl(laboratory, "/1k") for _ in laboratory.servers]
    assert {answer.server for answer in answers} == {server.name for server in laboratory.servers}
    clients = {answer.client for answer in answers}
    if source == "transparent":
        assert clients == {CLIENT_ADDRESS}
    else:
        assert all(ipaddress.ip_address(client) in _SNAT for client in clients)


def test_load_fails_nothing(laboratory: Laboratory, run: Run) -> None:
    assert ab(laboratory, "/10k", requests=200, concurrency=16) == 0


def test_packets_to_the_far_server_are_encapsulated(laboratory: Laboratory, run: Run, tap: Tap) -> None:
    far = laboratory.servers[-1]
    answer = curl(laboratory, "/v1/100k", "-H", "Host: api.example.com")
    assert (answer.status, answer.server) == (200, far.name)
    packets = [packet for packet in tap.packets() if packet.inner_source == answer.client]
    assert len(packets) > 3
    underlay = far.namespace.run(["ip", "-4", "-o", "address", "show", "dev", "eth0"]).split()[3].partition("/")[0]
    for packet in packets:
        assert (packet.source, packet.destination, packet.vni) == ("10.2.0.1", underlay, _VNI)
        assert (packet.inner_destination, packet.ttl, packet.checksum) == (far.address, 64, 0)
        assert packet.flags == 0x4000  # DF
        assert packet.source_port >= 0xC000
    assert _sent_into_the_tunnel(far.namespace) == 0


def test_packets_to_the_near_server_are_not(laboratory: Laboratory, run: Run, tap: Tap) -> None:
    answer = curl(laboratory, "/static/10k", "-H", "Host: img.example.com")
    assert answer.server == laboratory.servers[0].name
    assert not [packet for packet in tap.packets() if packet.inner_destination == laboratory.servers[0].address]


def _sent_into_the_tunnel(server: Namespace) -> int:
    [device] = json.loads(server.run(["ip", "-j", "-s", "link", "show", TUNNEL_DEVICE]))
    sent: int = device["stats64"]["tx"]["packets"]
    return sent
