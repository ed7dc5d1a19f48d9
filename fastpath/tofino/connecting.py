"""What it takes to begin with a switch: ports, sizes, empty tables."""

from __future__ import annotations

import zlib
from collections import Counter

import bfrt
from bfrt import SchemaError, Session
from fastpath.errors import Rejected, Unavailable
from fastpath.records import Direction
from fastpath.switch.network import Network
from fastpath.tofino.ledger import Sizes
from fastpath.tofino.rows import CONNECTIONS, OVERRIDES
from fastpath.tofino.settings import Capacities
from fastpath.tofino.tables import Tables

_LARGEST_PORT = 511
"""Port numbers have 9 bits (TNA PortId_t)."""
_LARGEST_HOP = 0xFFFF
_PATHS = 1 << 15
"""Path numbers have 15 bits."""


def client_id(program: str) -> int:
    """The id of the one client that drives `program`: 24 bits, so that programs of one switch have each their own."""
    return zlib.crc32(program.encode()) & 0xFF_FFFF


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


async def add_ports(session: Session, network: Network) -> None:
    """Add the ports that have a speed to the device, where they are missing; raises Rejected and Unavailable."""
    for port in network.ports:
        if port.speed is None:
            continue
        try:
            await bfrt.add_port(session, port.number, port.speed, (port.fec or "none").replace("_", "-"))
        except SchemaError as error:
            raise Rejected(f"port {port.number}: {error}") from error
        except bfrt.BfrtError as error:
            raise Unavailable(f"port {port.number}: {error}") from error


def sizes(tables: Tables) -> Sizes:
    """The sizes of the tables of records."""
    return Sizes(tables.size(CONNECTIONS), tables.size(OVERRIDES), tables.key_width(CONNECTIONS))


def capacities(tables: Tables) -> Capacities:
    """The sizes of the tables around them."""
    return Capacities(
        vips=tables.size("vips"),
        servers=tables.size("servers"),
        routes=tables.size("routes"),
        next_hops=min(tables.size("next_hops"), _LARGEST_HOP // 2),
    )


def path_capacity(tables: Tables, counters: int) -> int:
    """How many paths there may be, given the number of traffic counters."""
    return min(tables.size("paths_to_server"), tables.size("paths_to_client"), counters // len(Direction), _PATHS)
