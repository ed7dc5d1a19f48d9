"""Where packets go and come from, by what is configured and what ARP has found."""

from __future__ import annotations

import ipaddress

import pytest

from fastpath.records import NextHop, Vxlan
from fastpath.switch.network import Gateway, Neighbour, Network, Port, Tunnel, default_mac
from fastpath.switch.routes import find, needed, next_hops


def ip(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def net(text: str) -> tuple[bytes, int]:
    network = ipaddress.ip_network(text)
    return network.network_address.packed, network.prefixlen


WEST = Port(0, default_mac(0), ((ip("10.1.0.1"), 24), (ip("10.1.1.1"), 24)))
EAST = Port(300, default_mac(300), ((ip("10.2.0.1"), 16),))
INNER = Port(7, default_mac(7), ((ip("10.2.9.1"), 24),))
NETWORK = Network(
    (WEST, EAST, INNER),
    (Gateway(net("0.0.0.0/0"), ip("10.1.0.254")), Gateway(net("10.3.0.0/16"), ip("10.2.0.3"))),
    (
        Tunnel(net("10.9.0.0/24"), ip("10.2.0.1"), ip("10.2.0.20"), 42, b"\2" * 6),
        Tunnel(net("10.9.1.0/24"), ip("10.2.0.1"), ip("10.3.0.20"), 43, b"\4" * 6),
    ),
)


@pytest.mark.parametrize(
    ("destination", "neighbour", "source"),
    [
        ("10.1.0.7", (0, "10.1.0.7"), "10.1.0.1"),
        ("10.1.1.7", (0, "10.1.1.7"), "10.1.1.1"),
        ("10.2.8.7", (300, "10.2.8.7"), "10.2.0.1"),
        ("10.2.9.7", (7, "10.2.9.7"), "10.2.9.1"),
        ("10.3.0.1", (300, "10.2.0.3"), "10.2.0.1"),
        ("192.0.2.1", (0, "10.1.0.254"), "10.1.0.1"),
        ("10.9.0.5", (300, "10.2.0.20"), "10.2.0.1"),
        ("10.9.1.5", (300, "10.2.0.3"), "10.2.0.1"),
    ],
)
def test_the_longest_prefix_leads_to_a_neighbour(destination: str, neighbour: tuple[int, str], source: str) -> None:
    assert NETWORK.neighbour(ip(destination)) == Neighbour(neighbour[0], ip(neighbour[1]))
    assert NETWORK.source_address(ip(destination)) == ip(source)


def test_what_nothing_leads_to() -> None:
    network = Network((WEST,), (Gateway(net("10.5.0.0/16"), ip("10.4.0.1")),))
    for destination in ("10.6.0.1", "10.5.0.1"):
        assert network.neighbour(ip(destination)) is None
        assert network.source_address(ip(destination)) is None
    assert network.neighbour(bytes(16)) is None


def test_the_default_address_is_the_one_that_emit_sends_from() -> None:
    assert default_mac(0x0123).hex(":") == "02:01:00:01:23:4c"
    assert not default_mac(511)[0] & 1


def test_next_hops_are_what_is_given_and_what_is_resolved() -> None:
    resolved = {
        Neighbour(0, ip("10.1.0.7")): b"\xa0" * 6,
        Neighbour(0, ip("10.1.0.254")): b"\xb0" * 6,
        Neighbour(300, ip("10.2.0.20")): b"\xc0" * 6,
    }
    given = NextHop(net("10.1.0.7/32"), 7, b"\2" * 6, b"\6" * 6)
    hops = next_hops(NETWORK, [given], resolved)
    assert find(hops, ip("10.1.0.7")) == given
    assert find(hops, ip("192.0.2.1")) == NextHop(net("0.0.0.0/0"), 0, WEST.mac, b"\xb0" * 6)
    tunnel = Vxlan(ip("10.2.0.1"), ip("10.2.0.20"), 42, EAST.mac, b"\2" * 6)
    assert find(hops, ip("10.9.0.5")) == NextHop(net("10.9.0.0/24"), 300, EAST.mac, b"\xc0" * 6, tunnel)
    assert find(hops, ip("10.2.0.20")) == NextHop(net("10.2.0.20/32"), 300, EAST.mac, b"\xc0" * 6)
    # Behind a gateway that has not answered, there is only the default route.
    assert find(hops, ip("10.3.0.1")) == find(hops, ip("10.9.1.5")) == find(hops, ip("192.0.2.1"))
    assert find(next_hops(NETWORK, [], {}), ip("10.1.0.7")) is None


def test_what_has_to_be_resolved() -> None:
    found = needed(NETWORK, [ip("10.2.0.5"), ip("10.9.0.5"), ip("192.0.2.1")])
    assert {neighbour.address for neighbour in found} == {
        ip(text) for text in ("10.2.0.5", "10.1.0.254", "10.2.0.3", "10.2.0.20")
    }
