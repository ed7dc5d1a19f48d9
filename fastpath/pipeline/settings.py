"""What the fast path is configured with, and what follows from it for the tables around the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastpath.errors import Rejected, TableFull
from fastpath.pipeline.groups import Groups, Links
from fastpath.records import Listener, NextHop, Server
from fastpath.switch.network import Neighbour, Network, holds
from fastpath.switch.routes import needed, next_hops
from fastpath.validation import check_tables
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Capacities:
    """The sizes of the tables around the records, in entries."""

    vips: int
    servers: int
    routes: int
    next_hops: int

    def check(self, groups: Groups) -> None:
        """Raise TableFull if there are too many VIPs or servers."""
        _require("VIPs", len(groups.vips), self.vips)
        _require("servers", len(groups.servers), self.servers)


@dataclass(frozen=True, slots=True)
class Settings:
    """Listeners, servers and routes as `configure` was given them."""

    listeners: Sequence[Listener] = ()
    servers: Sequence[Server] = ()
    next_hops: Sequence[NextHop] = ()

    def check(self, network: Network) -> None:
        """Refuse what is out of range or names a port that does not exist; raises Rejected."""
        check_tables(self.listeners, self.servers)
        for hop in self.next_hops:
            prefix, length = hop.network
            name = f"next hop for {prefix.hex('.')}/{length}"
            if len(prefix) != 4 or not 0 <= length <= 32:
                raise Rejected(f"{name}: this is not an IPv4 network")
            if network.port(hop.port) is None:
                raise Rejected(f"{name}: there is no port {hop.port}")

    def links(self, records: Counter[tuple[Endpoint, Endpoint]]) -> Links:
        """What may lead where: as configured, and as the `records` of the compressed table do."""
        endpoints = {server.id: server.endpoint for server in self.servers}
        everything = frozenset(endpoints.values())
        vips = {
            listener.endpoint: frozenset(endpoints[id_] for id_ in listener.servers if id_ in endpoints)
            if listener.servers
            else everything
            for listener in self.listeners
        }
        for vip, _ in records:
            # A VIP that is not configured any more is kept for as long as it has records.
            vips.setdefault(vip, frozenset())
        return Links(vips, everything | {server for _, server in records}, records)

    def neighbours(self, network: Network) -> set[Neighbour]:
        """Those that have to be known before there is traffic."""
        routed = [hop.network for hop in self.next_hops]
        servers = {server.endpoint.address for server in self.servers}
        unrouted = [address for address in servers if not any(holds(prefix, address) for prefix in routed)]
        return needed(network, unrouted)

    def routes(
        self, network: Network, resolved: Mapping[Neighbour, bytes], capacities: Capacities
    ) -> tuple[NextHop, ...]:
        """All next hops; raises TableFull."""
        hops = next_hops(network, self.next_hops, resolved)
        _require("routes", len(hops), capacities.routes)
        return hops


def _require(what: str, count: int, capacity: int) -> None:
    """Raise TableFull if `count` entries do not fit."""
    if count > capacity:
        raise TableFull(f"{count} {what} do not fit: there is room for {capacity}")
