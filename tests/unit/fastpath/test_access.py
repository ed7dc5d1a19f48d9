"""Access lists: the longest prefix decides, next to a straightforward search."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.access import Access, Prefix

Network = IPv4Network | IPv6Network


def prefix(network: Network) -> Prefix:
    return Prefix(network.network_address.packed, network.prefixlen)


def access(allow: str = "", deny: str = "") -> Access:
    lists = ([prefix(ip_network(word)) for word in words.split()] for words in (allow, deny))
    return Access(*map(tuple, lists))


@pytest.mark.parametrize(
    ("lists", "client", "served"),
    [
        (access(), "192.0.2.1", True),
        (access(), "2001:db8::1", True),
        (access(allow="192.0.2.0/24"), "192.0.2.1", True),
        (access(allow="192.0.2.0/24"), "192.0.3.1", False),
        (access(allow="192.0.2.0/24"), "2001:db8::1", False),
        (access(deny="192.0.2.0/24"), "2001:db8::1", True),
        (access(deny="::/0"), "192.0.2.1", True),
        (access(deny="0.0.0.0/0"), "2001:db8::1", True),
        (access(allow="::/0"), "192.0.2.1", False),
        (access(deny="2001:db8::/32", allow="2001:db8:1::/48 ::/0"), "2001:db8:1::1", True),
        (access(deny="2001:db8::/32", allow="2001:db8:1::/48 ::/0"), "2001:db8:2::1", False),
        (access(allow="192.0.2.0/24", deny="192.0.2.0/24"), "192.0.2.1", False),
        (access(allow="192.0.2.1/32", deny="192.0.2.0/24"), "192.0.2.1", True),
        (access(allow="192.0.2.0/24", deny="192.0.2.1/32"), "192.0.2.1", False),
    ],
)
def test_who_is_served(lists: Access, client: str, served: bool) -> None:
    assert lists.permits(ip_address(client).packed) is served


@pytest.mark.parametrize(
    "wrong",
    [
        Prefix(bytes(4), 33),
        Prefix(bytes(4), -1),
        Prefix(bytes(16), 129),
        Prefix(bytes(5), 8),
        Prefix(bytes((10, 0, 0, 1)), 24),
    ],
)
def test_what_is_no_prefix(wrong: Prefix) -> None:
    with pytest.raises(ValueError, match="is no prefix"):
        Access(deny=(wrong,))


def _networks(bits: int) -> st.SearchStrategy[Network]:
    """Networks close to each other, so that they overlap."""
    base = int(ip_address("192.0.2.0")) if bits == 32 else int(ip_address("2001:db8::"))
    numbers = st.integers(0, 15).map(lambda low: base | low)
    kind = IPv4Network if bits == 32 else IPv6Network
    return st.builds(
        lambda number, length: kind((number >> bits - length << bits - length, length)),
        numbers,
        st.sampled_from([0, 1, bits - 5, *range(bits - 4, bits + 1)]),
    )


networks = st.lists(_networks(32) | _networks(128), max_size=8)
addresses = st.integers(0, 31).flatmap(
    lambda low: st.sampled_from([ip_address(f"192.0.2.{low}"), ip_address(f"2001:db8::{low:x}")])
)


@given(networks, networks, addresses)
def test_as_a_search_through_both_lists(allow: list[Network], deny: list[Network], client: object) -> None:
    held = [
        (network.prefixlen, verdict)
        for verdict, listed in ((True, allow), (False, deny))
        for network in listed
        if client in network
    ]
    # Of equal lengths False is the smaller one: deny wins.
    expected = max(held, key=lambda found: (found[0], not found[1]))[1] if held else not allow
    lists = Access(tuple(map(prefix, allow)), tuple(map(prefix, deny)))
    assert lists.permits(client.packed) is expected  # type: ignore[attr-defined]
