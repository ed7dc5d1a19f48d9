"""Groups of VIPs that share a server: within one, the digest of a connection is the same in both directions.

A packet of a server does not say which VIP it belongs to, but only VIPs of one group can lead to that server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from fastpath.pipeline.digest import NO_GROUP
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Groups:
    """The group number (1..65535) of each VIP and of each server."""

    vips: Mapping[Endpoint, int] = field(default_factory=dict)
    servers: Mapping[Endpoint, int] = field(default_factory=dict)

    def vip(self, endpoint: Endpoint) -> int:
        """The group of a VIP, NO_GROUP if it is none."""
        return self.vips.get(endpoint, NO_GROUP)

    def server(self, endpoint: Endpoint) -> int:
        """The group of a server, NO_GROUP if it is none."""
        return self.servers.get(endpoint, NO_GROUP)


@dataclass(frozen=True, slots=True)
class Links:
    """What groups are made of: `servers` that a VIP may lead to, and how many records do lead from it to one."""

    vips: Mapping[Endpoint, frozenset[Endpoint]]
    servers: frozenset[Endpoint]
    records: Mapping[tuple[Endpoint, Endpoint], int] = field(default_factory=dict)
    """Records in the compressed table by VIP and server: these stay together whatever is configured."""


_Node = tuple[str, Endpoint]


def group(links: Links, previous: Groups) -> Groups:
    """The groups of `links`; numbers stay where records depend on them.

    Two groups that grow together take the number that more records have. Two parts of one that falls apart
    keep its number as long as they have records: that makes collisions likelier, never wrong.
    """
    components = _components(links)
    weights = [_weights(component, links, previous) for component in components]
    numbers: dict[int, int] = {}
    for index, weight in enumerate(weights):
        if weight:
            numbers[index] = max(sorted(weight), key=lambda number: weight[number])
    taken = set(numbers.values())
    fresh = count(1)
    for index, component in enumerate(components):
        if index in numbers:
            continue
        kept = [number for number in _previous(component, previous) if number not in taken]
        # What is kept by a later component is not fresh either.
        known = {*previous.vips.values(), *previous.servers.values()}
        numbers[index] = kept[0] if kept else next(number for number in fresh if number not in taken | known)
        taken.add(numbers[index])
    vips: dict[Endpoint, int] = {}
    servers: dict[Endpoint, int] = {}
    for index, component in enumerate(components):
        for kind, endpoint in component:
            (vips if kind == "vip" else servers)[endpoint] = numbers[index]
    return Groups(vips, servers)


def _components(links: Links) -> list[list[_Node]]:
    """The connected components, in the order of their first nodes."""
    parents: dict[_Node, _Node] = {}

    def root(node: _Node) -> _Node:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    edges: list[tuple[Endpoint, Endpoint]] = [
        *((vip, server) for vip, servers in links.vips.items() for server in sorted(servers)),
        *(pair for pair, records in links.records.items() if records),
    ]
    for vip in links.vips:
        root(("vip", vip))
    for vip, server in edges:
        parents[root(("server", server))] = root(("vip", vip))
    for server in sorted(links.servers):
        root(("server", server))
    components: dict[_Node, list[_Node]] = {}
    for node in [*parents]:
        components.setdefault(root(node), []).append(node)
    return list(components.values())


def _weights(component: Iterable[_Node], links: Links, previous: Groups) -> Counter[int]:
    vips = {endpoint for kind, endpoint in component if kind == "vip"}
    weights: Counter[int] = Counter()
    for (vip, _server), records in links.records.items():
        if vip in vips and records:
            weights[previous.vip(vip)] += records
    return weights


def _previous(component: Iterable[_Node], previous: Groups) -> list[int]:
    numbers = {previous.vip(endpoint) if kind == "vip" else previous.server(endpoint) for kind, endpoint in component}
    return sorted(numbers - {NO_GROUP})
