"""What the balancer needs of its host: answering for VIPs, and the address that leads to a server."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable
from functools import partial

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from fastpath.netlink import in_thread, netlink
from slowpath.wire.endpoint import Endpoint

_RTN_LOCAL = 2
_RT_TABLE_LOCAL = 255
_PROTOCOL = 76
"""Marks our routes (rtm_protocol), so that a run recognises those that a killed one left behind."""


class LocalAddresses:
    """Makes the host answer for networks, as VIPs and SNAT addresses, by local routes on the loopback.

    A network that the host has already stays as it is, and stays when we stop.
    """

    def __init__(self) -> None:
        self._added: set[str] = set()

    async def ensure(self, networks: Iterable[str]) -> None:
        """Add what is missing and remove what we added earlier and is not wanted any more; CIDR notation."""
        wanted = set(networks)
        await in_thread(partial(self._ensure, wanted))

    def _ensure(self, wanted: set[str]) -> None:
        with netlink() as routes:
            [loopback] = routes.link_lookup(ifname="lo")
            for network in self._added - wanted:
                _remove(routes, network, loopback)
            self._added &= wanted
            for network in wanted - self._added:
                if _missing(routes, network):
                    routes.route("replace", **_route(network, loopback))
                    self._added.add(network)

    async def clear(self) -> None:
        """Remove what was added."""
        await self.ensure(())


def source_address(server: Endpoint) -> bytes | None:
    """The packed address that the host reaches `server` from; None if there is no route. No packet is sent."""
    version = socket.AF_INET if len(server.address) == 4 else socket.AF_INET6
    with socket.socket(version, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(ipaddress.ip_address(server.address)), server.port))
        except OSError:
            return None
        return ipaddress.ip_address(probe.getsockname()[0]).packed


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
