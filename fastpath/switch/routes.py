"""Next hops from what is configured and what ARP has found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fastpath.records import NextHop, Vxlan
from fastpath.switch.network import Neighbour, Network, longest


def next_hops(network: Network, given: Sequence[NextHop], resolved: Mapping[Neighbour, bytes]) -> tuple[NextHop, ...]:
    """One next hop a network: the `given` ones as they are, a host route for each neighbour, gateways, tunnels.

    A gateway or tunnel whose neighbour is not resolved has none. Of two for one network the given one stays.
    """
    hops: dict[tuple[bytes, int], NextHop] = {}
    for hop in (*_found(network, resolved), *given):
        hops[hop.network] = hop
    return tuple(hops.values())


def find(hops: Iterable[NextHop], destination: bytes) -> NextHop | None:
    """The next hop of the longest prefix that holds `destination`."""
    return longest(((hop.network, hop) for hop in hops), destination)


def needed(network: Network, destinations: Iterable[bytes]) -> set[Neighbour]:
    """The neighbours of all gateways, tunnel endpoints and `destinations` (packed addresses)."""
    addresses = [
        *destinations,
        *(gateway.via for gateway in network.gateways),
        *(tunnel.remote for tunnel in network.tunnels),
    ]
    return {neighbour for address in addresses if (neighbour := network.neighbour(address)) is not None}


def _found(network: Network, resolved: Mapping[Neighbour, bytes]) -> Iterator[NextHop]:
    for neighbour in resolved:
        yield from _hop(network, (neighbour.address, 32), neighbour, resolved, None)
    for gateway in network.gateways:
        yield from _hop(network, gateway.network, network.underlay(gateway.via), resolved, None)
    for tunnel in network.tunnels:
        outer = network.underlay(tunnel.remote)
        port = network.port(outer.port) if outer is not None else None
        if port is not None:
            vxlan = Vxlan(tunnel.local, tunnel.remote, tunnel.vni, port.mac, tunnel.mac)
            yield from _hop(network, tunnel.network, outer, resolved, vxlan)


def _hop(
    network: Network,
    prefix: tuple[bytes, int],
    neighbour: Neighbour | None,
    resolved: Mapping[Neighbour, bytes],
    tunnel: Vxlan | None,
) -> Iterator[NextHop]:
    mac = resolved.get(neighbour) if neighbour is not None else None
    port = network.port(neighbour.port) if neighbour is not None else None
    if mac is not None and port is not None:
        yield NextHop(prefix, port.number, port.mac, mac, tunnel)
