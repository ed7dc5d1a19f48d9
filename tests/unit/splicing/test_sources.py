"""Where connections to servers come from."""

from __future__ import annotations

from slowpath.splicing.sources import FIRST_PORT, LAST_PORT, Snat, Transparent
from slowpath.wire.endpoint import Endpoint

CLIENT = Endpoint.parse("192.0.2.1:5000")
SERVER, SERVER6 = Endpoint.parse("10.0.0.9:80"), Endpoint.parse("[2001:db8::9]:80")


def test_transparent_is_the_client_for_servers_of_its_ip_version() -> None:
    assert Transparent().take(CLIENT, SERVER) == CLIENT
    assert Transparent().take(CLIENT, SERVER6) is None


def test_snat_gives_each_pair_once_and_the_oldest_back_first() -> None:
    addresses = [bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))]
    sources = Snat(addresses)
    count = 2 * (LAST_PORT - FIRST_PORT + 1)
    taken = [sources.take(CLIENT, SERVER) for _ in range(count)]
    assert None not in taken and len(set(taken)) == count
    assert sources.take(CLIENT, SERVER) is None
    first, second = taken[5], taken[3]
    assert first is not None and second is not None
    sources.give_back(first)
    sources.give_back(second)
    assert [sources.take(CLIENT, SERVER) for _ in range(3)] == [first, second, None]


def test_snat_gives_what_is_of_the_servers_ip_version() -> None:
    ours, ours6 = bytes((10, 0, 0, 1)), bytes.fromhex("20010db8" + "00" * 11 + "01")
    sources = Snat([ours, ours6])
    first, second = sources.take(CLIENT, SERVER), sources.take(CLIENT, SERVER6)
    assert first == Endpoint(ours, FIRST_PORT) and second == Endpoint(ours6, FIRST_PORT)
    sources.give_back(second)
    sources.give_back(first)
    assert Snat([ours]).take(CLIENT, SERVER6) is None
