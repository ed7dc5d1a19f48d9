"""Counting captured frames by connection."""

from __future__ import annotations

import pytest

from deploy.experiment.tally import Direction, Tally
from tests.unit.experiment.frames import BALANCER, CLIENT, CLIENTS, OTHER_CLIENT, SERVER, VIP, frame


@pytest.fixture
def tally() -> Tally:
    return Tally(CLIENTS)


def test_both_directions_and_both_sides_of_the_balancer_are_one_connection(tally: Tally) -> None:
    client, vip, server = (CLIENT, 40_000), (VIP, 80), (SERVER, 80)
    tally.add(Direction.IN, frame(client, vip, payload=100))
    tally.add(Direction.OUT, frame(client, server))
    tally.add(Direction.IN, frame(server, client))
    tally.add(Direction.OUT, frame(vip, client))
    assert tally.connections == [4]
    assert tally.captured == {Direction.IN: 2, Direction.OUT: 2}


def test_connections_differ_by_the_clients_address_and_by_its_port(tally: Tally) -> None:
    for count, client in enumerate([(CLIENT, 40_000), (CLIENT, 40_001), (OTHER_CLIENT, 40_000)], 1):
        for _ in range(count):
            tally.add(Direction.IN, frame(client, (SERVER, 80), payload=1))
    assert sorted(tally.connections) == [1, 2, 3]


@pytest.mark.parametrize("first", [1000, 2**32 - 50])
def test_a_port_that_is_used_again_is_another_connection(tally: Tally, first: int) -> None:
    client, server = (CLIENT, 40_000), (SERVER, 80)
    for isn in (first, (first + 1_000_000) % 2**32):
        for sent in (0, 1, 101):
            tally.add(Direction.IN, frame(client, server, number=(isn + sent) % 2**32, payload=sent))
        tally.add(Direction.IN, frame(server, client, number=(isn + 102) % 2**32))
    late = frame(server, client, number=(first + 102) % 2**32)
    tally.add(Direction.IN, late)
    assert tally.connections == [5, 4]


def test_connections_without_data_are_left_out_of_the_connections_only(tally: Tally) -> None:
    tally.add(Direction.IN, frame((CLIENT, 40_000), (SERVER, 80), options=40))
    tally.add(Direction.IN, frame((CLIENT, 40_001), (SERVER, 80), payload=1))
    assert tally.connections == [1]
    assert tally.captured[Direction.IN] == 2


def test_data_of_the_server_makes_a_connection_count(tally: Tally) -> None:
    tally.add(Direction.IN, frame((SERVER, 80), (CLIENT, 40_000), payload=1))
    assert tally.connections == [1]


def test_health_probes_are_captured_and_belong_to_no_connection(tally: Tally) -> None:
    tally.add(Direction.OUT, frame((BALANCER, 50_000), (SERVER, 80), payload=10))
    tally.add(Direction.IN, frame((SERVER, 80), (BALANCER, 50_000), payload=10))
    assert tally.connections == []
    assert tally.captured == {Direction.IN: 1, Direction.OUT: 1}


@pytest.mark.parametrize("ip_options", [0, 4, 40])
@pytest.mark.parametrize("options", [0, 12, 40])
def test_the_ports_and_the_data_are_found_behind_any_header(tally: Tally, ip_options: int, options: int) -> None:
    layout = {"ip_options": ip_options, "options": options}
    tally.add(Direction.IN, frame((CLIENT, 40_000), (SERVER, 80), payload=1, **layout))
    tally.add(Direction.IN, frame((SERVER, 80), (CLIENT, 40_000), **layout))
    tally.add(Direction.IN, frame((CLIENT, 40_001), (SERVER, 80), **layout))
    assert tally.connections == [2]


@pytest.mark.parametrize(("payload", "oversized"), [(1460, 0), (1461, 1), (20_000, 1)])
def test_packets_larger_than_the_mtu_are_noticed(tally: Tally, payload: int, oversized: int) -> None:
    tally.add(Direction.IN, frame((SERVER, 80), (CLIENT, 40_000), payload=payload))
    assert tally.oversized == oversized
