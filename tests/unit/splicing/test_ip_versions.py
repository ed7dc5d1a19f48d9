"""Connections with IPv6, and between IP versions, over a network that loses, repeats and reorders."""

from __future__ import annotations

import pytest

from slowpath.splicing.sources import Snat
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import DESTINATION_OPTIONS
from tests.simulation.network import Impairment
from tests.simulation.world import SERVERS, SERVERS6, VIP, VIP6, World
from tests.unit.splicing.test_splices import ROUGH, fetch, respond

_SNAT, _SNAT6 = bytes((10, 2, 0, 16)), bytes.fromhex("20010db8000200000000000000000016")
_SIZE = 100_000
_WAYS = {
    "6 to 6": (VIP6, SERVERS6),
    "6 to 4": (VIP6, SERVERS),
    "4 to 6": (VIP, SERVERS6),
}
_ways = pytest.mark.parametrize(("vip", "servers"), _WAYS.values(), ids=list(_WAYS))


def _world(
    vip: Endpoint, servers: list[Endpoint], seed: int = 0, impairment: Impairment = Impairment(), capacity: int = 1000
) -> World:
    sources = Snat([_SNAT, _SNAT6])
    world = World(seed, impairment, sources=sources, vip=vip, servers=servers, capacity=capacity)
    world.serve = respond(_SIZE)
    return world


@_ways
def test_a_response_arrives_whole_and_nothing_stays(vip: Endpoint, servers: list[Endpoint]) -> None:
    world = _world(vip, servers)
    client = world.client()
    fetch(world, client, _SIZE)
    [(server, source)] = world.server_side
    assert (server in servers, source.address) == (True, _SNAT if servers is SERVERS else _SNAT6)
    assert client.finished and world.server_side[server, source].finished
    assert (world.records, world.splicer.connection_count) == (0, 0)


@_ways
@pytest.mark.parametrize("seed", range(5))
def test_a_rough_network_changes_nothing(vip: Endpoint, servers: list[Endpoint], seed: int) -> None:
    world = _world(vip, servers, seed, ROUGH)
    fetch(world, world.client(), _SIZE)


@_ways
def test_without_room_in_the_fast_path_the_slow_path_forwards(vip: Endpoint, servers: list[Endpoint]) -> None:
    world = _world(vip, servers, impairment=ROUGH, capacity=0)
    fetch(world, world.client(), _SIZE)
    assert not world.records


def test_transparent_servers_see_the_clients_address() -> None:
    world = World(vip=VIP6, servers=SERVERS6)
    world.serve = respond(_SIZE)
    client = world.client()
    fetch(world, client, _SIZE)
    [(_, source)] = world.server_side
    assert source == client.local


@pytest.mark.parametrize("dead", [0, 1])
def test_the_next_server_may_be_of_the_other_version(dead: int) -> None:
    servers = [SERVERS[0], SERVERS6[0]]
    world = _world(VIP6, servers)
    world.refusing = {servers[dead]}
    fetch(world, world.client(), _SIZE)
    [(server, source)] = world.server_side
    assert (server, len(source.address)) == (servers[1 - dead], len(server.address))


def test_a_server_without_a_source_of_its_version_is_passed_over() -> None:
    world = World(sources=Snat([_SNAT]), vip=VIP6, servers=[SERVERS6[0], SERVERS[0]])
    world.serve = respond(_SIZE)
    fetch(world, world.client(), _SIZE)
    assert [server for server, _ in world.server_side] == [SERVERS[0]]
    assert world.splicer.statistics.connect_failures["web", "source"] == 1


@pytest.mark.parametrize("servers", [SERVERS6, SERVERS], ids=["6 to 6", "6 to 4"])
def test_packets_with_extension_headers_go_through_the_slow_path(servers: list[Endpoint]) -> None:
    world = _world(VIP6, servers)
    client = world.client()
    world.clock.run(0.1)
    client.transform = _with_destination_options
    fetch(world, client, _SIZE)
    assert client.finished
    # Every ACK of the client's was translated here.
    assert world.splicer.statistics.packets_in > _SIZE / 1460 / 2


def _with_destination_options(packet: bytes) -> bytes:
    length = int.from_bytes(packet[4:6], "big") + 8
    header = bytes((tcp.PROTOCOL, 0, 1, 4, 0, 0, 0, 0))
    return packet[:4] + length.to_bytes(2, "big") + bytes((DESTINATION_OPTIONS,)) + packet[7:40] + header + packet[40:]
