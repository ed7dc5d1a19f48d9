"""Which addresses are one client."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from slowpath.limiting.clients import ClientPrefix


@pytest.mark.parametrize(
    ("prefix", "address", "client"),
    [
        (ClientPrefix(), "192.0.2.200", "192.0.2.200"),
        (ClientPrefix(ipv4=24), "192.0.2.200", "192.0.2.0"),
        (ClientPrefix(ipv4=25), "192.0.2.200", "192.0.2.128"),
        (ClientPrefix(ipv4=1), "192.0.2.200", "128.0.0.0"),
        (ClientPrefix(), "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (ClientPrefix(ipv6=128), "2001:db8::6", "2001:db8::6"),
        (ClientPrefix(ipv6=1), "ffff::1", "8000::"),
    ],
)
def test_a_client_is_a_prefix(prefix: ClientPrefix, address: str, client: str) -> None:
    assert prefix.of(ip_address(address).packed) == ip_address(client).packed
