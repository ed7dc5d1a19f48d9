"""What the balancer needs of what it stands on: answering for VIPs, and the address that leads to a server."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from fastpath.netlink import in_thread, netlink
from fastpath.pipeline.statistics import Statistics
from fastpath.switch.network import Network
from slowpath.control.interface_addresses import InterfaceAddresses
from slowpath.wire.endpoint import Endpoint

_RTN_LOCAL = 2
_RT_TABLE_LOCAL = 255
_PROTOCOL = 76
"""Marks our routes (rtm_protocol), so that a run recognises those that a killed one left behind."""


class Host(Protocol):
    """What a fast path is part of: the kernel's network, or a switch's."""

    async def answer_for(self, networks: Iterable[str]) -> None:
        """Be reachable at the addresses of `networks` (CIDR notation), and at no others that were named earlier.

        Raises FastPathError.
        """

    def source_address(self, server: Endpoint) -> bytes | None:
        """The packed address that `server` is reached from; None if there is no route. No packet is sent."""

    def statistics(self) -> Statistics:
        """What it counts beside the fast path's own counters."""

    async def close(self) -> None:
        """Leave the host as it was found."""


class KernelHost:
    """This host, which answers for VIPs and SNAT addresses by local routes on the loopback, and addresses for IPv6.

    A network that the host has already stays as it is, and stays when we stop.
    """

    def __init__(self, interfaces: Sequence[str]) -> None:
        """`interfaces` are those that clients and servers are reached through."""
        self._added: set[str] = set()
        self._addresses = InterfaceAddresses(interfaces)

    async def answer_for(self, networks: Iterable[str]) -> None:
        """Add what is missing and remove what we added earlier and is not wanted any more."""
        parsed = set(map(ipaddress.ip_network, networks))
        routed = {str(network) for network in parsed if isinstance(network, ipaddress.IPv4Network)}
        addressed = {network for network in parsed if isinstance(network, ipaddress.IPv6Network)}
        await in_thread(partial(self._ensure, routed, addressed))

    def _ensure(self, wanted: set[str], addressed: set[ipaddress.IPv6Network]) -> None:
        with netlink() as routes:
            self._addresses.ensure(routes, addressed)
            [loopback] = routes.link_lookup(ifname="lo")
            for network in self._added - wanted:
                _remove(routes, network, loopback)
            self._added &= wanted
            for network in wanted - self._added:
                if _missing(routes, network):
                    routes.route("replace", **_route(network, loopback))
                    self._added.add(network)

    def source_address(self, server: Endpoint) -> bytes | None:
        """What the kernel's routes choose."""
        version = socket.AF_INET if len(server.address) == 4 else socket.AF_INET6
        with socket.socket(version, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((str(ipaddress.ip_address(server.address)), server.port))
            except OSError:
                return None
            return ipaddress.ip_address(probe.getsockname()[0]).packed

    def statistics(self) -> Statistics:
        """All 0: the kernel needs nothing of what a switch counts."""
        return Statistics(overrides=0, reconciliations=0, punts_withheld=0)

    async def close(self) -> None:
        """Remove what was added."""
        await self.answer_for(())


class Switch(Protocol):
    """What the host that a switch is asks of its fast path."""

    @property
    def statistics(self) -> Statistics:
        """What only a switch counts."""

    def answer_for(self, networks: Iterable[tuple[bytes, int]]) -> None:
        """Answer ARP and echo for all addresses in `networks` (packed prefix, length in bits)."""


class SwitchHost:
    """A switch: its routes are those of the configuration, and its fast path answers ARP."""

    def __init__(self, network: Network, switch: Switch) -> None:
        self._network, self._switch = network, switch

    async def answer_for(self, networks: Iterable[str]) -> None:
        """Have the fast path answer."""
        parsed = [ipaddress.ip_network(network) for network in networks]
        self._switch.answer_for([(network.network_address.packed, network.prefixlen) for network in parsed])

    def source_address(self, server: Endpoint) -> bytes | None:
        """What the configured ports and routes choose."""
        return self._network.source_address(server.address)

    def statistics(self) -> Statistics:
        """The fast path's."""
        return self._switch.statistics

    async def close(self) -> None:
        """Nothing to undo: what the fast path answers for ends with it."""


def _route(network: str, loopback: int) -> dict[str, object]:
    return {
        "dst": network, "oif": loopback, "type": "local", "scope": "host", "table": _RT_TABLE_LOCAL, "proto": _PROTOCOL
    }  # fmt: skip


def _missing(routes: IPRoute, network: str) -> bool:
    """Whether the host does not answer for `network`, or only by a route that a killed run of ours left behind."""
    address = str(ipaddress.ip_network(network)[0])
    try:
        [found, *_] = routes.route("get", dst=address)
    except NetlinkError:
        return True
    if found["type"] != _RTN_LOCAL:
        return True
    ours = routes.route("dump", table=_RT_TABLE_LOCAL, proto=_PROTOCOL)
    return network in [f"{route.get('dst')}/{route['dst_len']}" for route in ours]


def _remove(routes: IPRoute, network: str, loopback: int) -> None:
    try:
        routes.route("del", **_route(network, loopback))
    except NetlinkError as error:
        if error.code != errno.ESRCH:  # somebody else removed it
            raise
