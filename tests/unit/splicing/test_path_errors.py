"""Path MTU discovery through the balancer, over whatever IP versions and whoever forwards, in virtual time."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.splicing.sources import Snat
from slowpath.wire import icmp, tcp
from slowpath.wire.checksum import internet_checksum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.world import CLIENT_SIDE, ROUTERS, SERVER_SIDE, SERVERS, SERVERS6, VIP, VIP6, World
from tests.unit.splicing.test_splices import GET, ROUGH, fetch, has, respond

_SNAT, _SNAT6 = bytes((10, 2, 0, 16)), bytes.fromhex("20010db8000200000000000000000016")
_SIZE, _MTU = 60_000, 1300
_BODY = Random(7).randbytes(_SIZE)
_HEAD = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
_WAYS = {
    "4 to 4": (VIP, SERVERS, 0),
    "6 to 6": (VIP6, SERVERS6, 0),
    "6 to 4": (VIP6, SERVERS, 20),
    "4 to 6": (VIP, SERVERS6, -20),
}
_ways = pytest.mark.parametrize(("vip", "servers", "growth"), _WAYS.values(), ids=list(_WAYS))
"""With by how much longer packets are at the client than at the server."""
_capacities = pytest.mark.parametrize("capacity", [1000, 0], ids=["spliced", "relayed"])


def _world(vip: Endpoint, servers: list[Endpoint], **options: object) -> World:
    world = World(sources=Snat([_SNAT, _SNAT6]), vip=vip, servers=servers, **options)  # type: ignore[arg-type]
    world.serve = respond(_SIZE)
    return world


def _upload(world: World, client: Peer) -> None:
    world.serve = respond(500, request=len(_HEAD) + _SIZE)
    client.write(_HEAD + _BODY)
    world.clock.run(600.0, has(client, 500))
    [server] = world.server_side.values()
    assert server.received == _HEAD + _BODY


def _learned(world: World) -> set[int | None]:
    return {error.mtu for error in world.errors}


@_ways
@_capacities
def test_servers_learn_of_the_way_to_the_client(
    vip: Endpoint, servers: list[Endpoint], growth: int, capacity: int
) -> None:
    world = _world(vip, servers, capacity=capacity)
    world.narrow[CLIENT_SIDE] = _MTU
    fetch(world, world.client(), _SIZE)
    assert _learned(world) == {_MTU - growth}
    # A router has no address of the other IP version: then it is ours.
    [(_, source)] = world.server_side
    assert {error.source for error in world.errors} == {source.address if growth else ROUTERS[6 if vip == VIP6 else 4]}
    assert world.splicer.statistics.icmp_errors["translated"] == len(world.errors)


@_ways
@_capacities
def test_clients_learn_of_the_way_to_the_server(
    vip: Endpoint, servers: list[Endpoint], growth: int, capacity: int
) -> None:
    world = _world(vip, servers, capacity=capacity)
    world.narrow[SERVER_SIDE] = _MTU
    _upload(world, world.client())
    assert _learned(world) == {_MTU + growth}
    assert {error.source for error in world.errors} == {vip.address if growth else ROUTERS[6 if vip == VIP6 else 4]}


@_ways
@_capacities
def test_servers_learn_of_our_link_to_the_client(
    vip: Endpoint, servers: list[Endpoint], growth: int, capacity: int
) -> None:
    world = _world(vip, servers, capacity=capacity, mtu={CLIENT_SIDE: _MTU})
    fetch(world, world.client(), _SIZE)
    assert _learned(world) == {_MTU - growth}


@_ways
@_capacities
def test_clients_learn_of_our_link_to_the_server(
    vip: Endpoint, servers: list[Endpoint], growth: int, capacity: int
) -> None:
    world = _world(vip, servers, capacity=capacity, mtu={SERVER_SIDE: _MTU})
    _upload(world, world.client())
    assert _learned(world) == {_MTU + growth}


@pytest.mark.parametrize("transparent", [True, False], ids=["transparent", "snat"])
@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_on_every_kind_of_target_and_on_a_rough_network(profile: Profile, transparent: bool, seed: int) -> None:
    for round_ in range(10):
        sources = None if transparent else Snat([_SNAT])
        world = World(seed + round_, ROUGH, sources=sources, profile=profile)
        world.narrow = {CLIENT_SIDE: _MTU, SERVER_SIDE: _MTU - 100}
        world.serve = respond(_SIZE)
        fetch(world, world.client(), _SIZE)
        assert _learned(world) == {_MTU}, f"seed {seed + round_}"
        assert (world.records, len(world.splicer.connections())) == (0, 0), f"seed {seed + round_}"


def _without_df(packet: bytes) -> bytes:
    head = packet[:6] + bytes(2) + packet[8:10] + bytes(2) + packet[12:20]
    return head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:] + packet[20:]


@pytest.mark.parametrize("impairment", [Impairment(), ROUGH], ids=["clean", "rough"])
def test_who_sets_no_df_is_not_told_and_gets_through(impairment: Impairment, seed: int) -> None:
    world = World(seed, impairment, mtu={SERVER_SIDE: _MTU})
    client = world.client()
    client.transform = _without_df
    _upload(world, client)
    assert not world.errors and not world.splicer.statistics.icmp_errors


def test_ipv6_hosts_make_no_packets_below_their_least_mtu_so_their_segments_are_cut() -> None:
    world = _world(VIP6, SERVERS, mtu={SERVER_SIDE: 1000})
    _upload(world, world.client())
    assert not world.errors


def test_what_is_ours_to_deliver_gets_through_a_narrow_path(seed: int) -> None:
    """A head that we have acknowledged is in packets of our own."""
    for impairment in (Impairment(), ROUGH):
        for narrow in (0, _MTU):
            world = World(seed, impairment, mtu=None if narrow else {SERVER_SIDE: _MTU})
            world.narrow = {SERVER_SIDE: narrow} if narrow else {}
            head = b"GET /thing HTTP/1.1\r\nHost: www.example.com\r\nCookie: " + b"x" * 9000 + b"\r\n\r\n"
            world.serve = respond(2_000, request=len(head))
            client = world.client()
            for start in range(0, len(head), 700):
                client.write(head[start : start + 700])
                world.clock.run(0.3)
            world.clock.run(120.0, has(client, 2000))
            [server] = world.server_side.values()
            assert server.received == head
            assert world.splicer.statistics.icmp_errors["heeded"]


def test_a_client_with_too_many_errors_waits_for_the_rest() -> None:
    world = _world(VIP, SERVERS)
    world.narrow[CLIENT_SIDE] = 600
    clients = [world.client(40000 + index) for index in range(20)]
    for client in clients:
        client.write(GET)
    world.clock.run(600.0)
    assert all(len(client.received) == _SIZE for client in clients)
    assert world.splicer.statistics.icmp_errors["withheld"]


def test_errors_about_no_connection_go_nowhere() -> None:
    world = World(profile=SWITCH)
    packet = tcp.build(Segment(SERVERS[0], world.client().local, 1, 1, tcp.ACK, 0, Options()))
    for data in (
        icmp.build(icmp.too_long(ROUTERS[4], packet, _MTU)),
        icmp.build(icmp.too_long(ROUTERS[4], packet, 0))[:-1],
    ):
        world.inject_raw(CLIENT_SIDE, data)
    assert not world.errors
    assert world.splicer.statistics.drops["icmp"] == 2
