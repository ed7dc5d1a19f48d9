"""The rows of all tables but those of records: ports, addresses, VIPs, servers, routes, next hops, paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType

from fastpath.errors import TableFull
from fastpath.pipeline.groups import Groups
from fastpath.pipeline.paths import Path
from fastpath.pipeline.rows import Action, Key
from fastpath.records import NextHop
from fastpath.switch.network import Network
from fastpath.switch.routes import find
from slowpath.wire.endpoint import Endpoint

NO_HOP = 0
"""The next hop of a destination without a route: no entry has this number."""


class Hops:
    """The routes, and the numbers of their next hops: equal ones share one, whatever network they are for."""

    def __init__(self, routes: Sequence[NextHop] = (), numbers: Mapping[NextHop, int] = MappingProxyType({})) -> None:
        """For `renewed`: `numbers` are those of the next hops without their networks."""
        self._routes, self._numbers = tuple(routes), numbers

    def renewed(self, routes: Sequence[NextHop], capacity: int) -> Hops:
        """These routes, whose next hops keep the numbers that they have here. Raises TableFull."""
        hops = dict.fromkeys(map(_anywhere, routes))
        if len(hops) > capacity:
            raise TableFull(f"{len(hops)} next hops do not fit: there is room for {capacity}")
        numbers = {hop: number for hop, number in self._numbers.items() if hop in hops}
        # Nor is a number fresh whose old entry is still there.
        taken = set(self._numbers.values())
        fresh = (number for number in count(NO_HOP + 1) if number not in taken)
        for hop in hops:
            if hop not in numbers:
                numbers[hop] = next(fresh)
        return Hops(routes, numbers)

    def number(self, destination: bytes) -> int:
        """The next hop of packets for `destination`, NO_HOP without a route."""
        hop = find(self._routes, destination)
        return self._numbers[_anywhere(hop)] if hop is not None else NO_HOP

    def rows(self) -> Iterator[tuple[Key, Action]]:
        """`next_hops` and `routes`."""
        for hop, number in self._numbers.items():
            yield ("next_hops", (number,)), _action(hop)
        for hop in self._routes:
            prefix, length = hop.network
            shift = 32 - length
            value = int.from_bytes(prefix, "big") >> shift << shift
            yield ("routes", (value, length)), ("via", (self._numbers[_anywhere(hop)],))


def of_ports(network: Network) -> Iterator[tuple[Key, Action]]:
    """`ports` and `addresses`."""
    for port in network.ports:
        yield ("ports", (port.number,)), ("known", ())
        yield ("addresses", (port.number, int.from_bytes(port.mac, "big"))), ("ours", ())


def of_groups(groups: Groups) -> Iterator[tuple[Key, Action]]:
    """`vips` and `servers`."""
    for vip, number in groups.vips.items():
        yield ("vips", endpoint(vip)), ("listener", (number,))
    for server, number in groups.servers.items():
        yield ("servers", endpoint(server)), ("server", (number,))


def of_paths(paths: Iterable[tuple[Path, int]], hops: Hops) -> Iterator[tuple[Key, Action]]:
    """`paths_to_server` and `paths_to_client`."""
    for path, number in paths:
        vip, server = endpoint(path.vip), endpoint(path.server)
        hop = hops.number(path.server.address)
        yield ("paths_to_server", (number, *vip)), ("to_server", (*server, hop))
        yield ("paths_to_client", (number, *server)), ("to_client", vip)


def endpoint(value: Endpoint) -> tuple[int, int]:
    """The values of an endpoint's two fields."""
    return int.from_bytes(value.address, "big"), value.port


def _anywhere(hop: NextHop) -> NextHop:
    """The next hop itself, for whatever network."""
    return NextHop((b"", 0), hop.port, hop.source_mac, hop.destination_mac, hop.tunnel)


def _action(hop: NextHop) -> Action:
    link = (hop.port, int.from_bytes(hop.source_mac, "big"), int.from_bytes(hop.destination_mac, "big"))
    if hop.tunnel is None:
        return "direct", link
    tunnel = hop.tunnel
    outer = (int.from_bytes(tunnel.source, "big"), int.from_bytes(tunnel.destination, "big"), tunnel.vni)
    inner = (int.from_bytes(tunnel.source_mac, "big"), int.from_bytes(tunnel.destination_mac, "big"))
    return "vxlan", (*link, *outer, *inner)
