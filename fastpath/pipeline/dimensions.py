"""What a program of the pipeline was made for: which ports can be, and how much fits its tables."""

from __future__ import annotations

from collections import Counter

from fastpath.errors import Rejected
from fastpath.pipeline.driver import Driver
from fastpath.pipeline.ledger import Sizes
from fastpath.pipeline.rows import CONNECTIONS, OVERRIDES, TRAFFIC
from fastpath.pipeline.settings import Capacities
from fastpath.records import Direction
from fastpath.switch.network import Network

_LARGEST_PORT = 511
"""Port numbers have 9 bits."""
_LARGEST_HOP = 0xFFFF
_PATHS = 1 << 15
"""Path numbers have 15 bits."""


def check(network: Network) -> None:
    """Refuse ports that cannot be; raises Rejected."""
    numbers = Counter(port.number for port in network.ports)
    for port in network.ports:
        if not 0 <= port.number <= _LARGEST_PORT:
            raise Rejected(f"port {port.number} is outside 0..{_LARGEST_PORT}")
        if numbers[port.number] > 1:
            raise Rejected(f"port {port.number} is there {numbers[port.number]} times")
        if len(port.mac) != 6 or port.mac[0] & 1:
            raise Rejected(f"port {port.number}: {port.mac.hex(':')} is not a unicast Ethernet address")
        for address, length in port.addresses:
            if len(address) != 4 or not 0 <= length <= 32:
                raise Rejected(f"port {port.number}: {address.hex('.')}/{length} is not an IPv4 address and prefix")


def sizes(driver: Driver) -> Sizes:
    """The sizes of the tables of records."""
    return Sizes(driver.size(CONNECTIONS), driver.size(OVERRIDES), driver.key_width(CONNECTIONS))


def capacities(driver: Driver) -> Capacities:
    """The sizes of the tables around them."""
    return Capacities(
        vips=driver.size("vips"),
        servers=driver.size("servers"),
        routes=driver.size("routes"),
        next_hops=min(driver.size("next_hops"), _LARGEST_HOP // 2),
    )


def path_capacity(driver: Driver) -> int:
    """How many paths there may be."""
    counted = driver.size(TRAFFIC) // len(Direction)
    return min(driver.size("paths_to_server"), driver.size("paths_to_client"), counted, _PATHS)
