"""The synthetic connections."""

from __future__ import annotations

from bench.million.population import adjacent, batches, checkpoints, scattered, splices
from fastpath.records import Server
from slowpath.wire.endpoint import Endpoint

SERVERS = [Server(number, Endpoint(bytes((10, 2, 0, 11 + number)), 80)) for number in range(3)]


def test_no_two_clients_are_alike() -> None:
    """Whatever the seed, and far apart, too."""
    numbers = [*range(20_000), *range((1 << 45) - 1000, 1 << 45)]
    assert len({scattered(number, 7) for number in numbers}) == len(numbers)
    assert len({adjacent(number) for number in range(40_000)}) == 40_000


def test_clients_are_in_their_network() -> None:
    """128.0.0.0/2, at ports that clients use."""
    for client in (*map(scattered, range(5000)), *map(adjacent, range(0, 1 << 20, 999))):
        assert client.address[0] >> 6 == 0b10
        assert 32768 <= client.port <= 65535


def test_splices_are_the_same_every_time() -> None:
    """And of the clients that they are asked for."""
    made = splices(range(100, 200), SERVERS, pivot=True)
    assert made == splices(range(100, 200), SERVERS, pivot=True)
    assert [splice.flow.client for splice in made] == [scattered(number) for number in range(100, 200)]
    assert {splice.server_id for splice in made} == {0, 1, 2}
    assert all(splice.pivot is None for splice in splices(range(3), SERVERS))


def test_batches() -> None:
    """All numbers, the rest in a smaller one."""
    assert [*batches(range(2, 9), 3)] == [range(2, 5), range(5, 8), range(8, 9)]


def test_checkpoints_are_powers_of_two_up_to_the_last() -> None:
    """Which need not be one."""
    assert checkpoints(8192) == [1024, 2048, 4096, 8192]
    assert checkpoints(5000) == [1024, 2048, 4096, 5000]
    assert checkpoints(1000) == [1000]
    assert checkpoints(512, 256) == [256, 512]
