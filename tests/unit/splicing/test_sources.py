"""Where connections to servers come from."""

from __future__ import annotations

from slowpath.splicing.sources import FIRST_PORT, LAST_PORT, Snat, Transparent
from slowpath.wire.endpoint import Endpoint

CLIENT = Endpoint.parse("192.0.2.1:5000")


def test_transparent_is_the_client() -> None:
    assert Transparent().take(CLIENT) == CLIENT


def test_snat_gives_each_pair_once_and_the_oldest_back_first() -> None:
    addresses = [bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))]
    sources = Snat(addresses)
    count = 2 * (LAST_PORT - FIRST_PORT + 1)
    taken = [sources.take(CLIENT) for _ in range(count)]
    assert None not in taken and len(set(taken)) == count
    assert sources.take(CLIENT) is None
    first, second = taken[5], taken[3]
    assert first is not None and second is not None
    sources.give_back(first)
    sources.give_back(second)
    assert [sources.take(CLIENT), sources.take(CLIENT), sources.take(CLIENT)] == [first, second, None]
