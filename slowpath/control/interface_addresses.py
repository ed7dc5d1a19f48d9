"""IPv6 addresses on interfaces: a host answers a neighbour solicitation for those of the interface that it came by.

A local route, which is enough for ARP, is not enough there (RFC 4861 section 7.2.3).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_PROTOCOL = 76
"""Marks our addresses (IFA_PROTO, Linux 5.18), so that a run recognises those that a killed one left behind."""
_NO_DUPLICATE_DETECTION = 0x02
_FOREVER = 0xFFFF_FFFF
_LENGTH = 128


class _Place(NamedTuple):
    interface: int
    """Its index."""
    address: str


class InterfaceAddresses:
    """Adds addresses to all of `interfaces`, and removes what it added; those that are there already stay.

    They are deprecated (RFC 4862 section 5.5.4): the host prefers any other as the source of what it sends.
    """

    def __init__(self, interfaces: Sequence[str]) -> None:
        self._interfaces = interfaces
        self._added: set[_Place] = set()

    def ensure(self, routes: IPRoute, networks: Iterable[ipaddress.IPv6Network]) -> None:
        """Have the addresses of `networks`, and of those added earlier no others; raises NetlinkError."""
        indexes = [index for name in self._interfaces for index in routes.link_lookup(ifname=name)]
        wanted = {_Place(index, str(address)) for network in networks for address in network for index in indexes}
        for place in self._added - wanted:
            _remove(routes, place)
        self._added &= wanted
        missing = wanted - self._added
        if not missing:
            return
        present = _present(routes)
        for place in missing:
            ours = present.get(place)
            if ours is None:
                _add(routes, place)
            if ours is not False:
                self._added.add(place)


def _present(routes: IPRoute) -> dict[_Place, bool]:
    """The host's addresses, and whether we marked them."""
    return {
        _Place(found["index"], found.get_attr("IFA_ADDRESS")): found.get_attr("IFA_PROTO") == _PROTOCOL
        for found in routes.get_addr(family=socket.AF_INET6)
    }


def _add(routes: IPRoute, place: _Place) -> None:
    routes.addr(
        "add",
        family=socket.AF_INET6,
        index=place.interface,
        address=place.address,
        prefixlen=_LENGTH,
        IFA_FLAGS=_NO_DUPLICATE_DETECTION,
        IFA_CACHEINFO={"ifa_preferred": 0, "ifa_valid": _FOREVER},
        IFA_PROTO=_PROTOCOL,
    )


def _remove(routes: IPRoute, place: _Place) -> None:
    try:
        routes.addr("del", family=socket.AF_INET6, index=place.interface, address=place.address, prefixlen=_LENGTH)
    except NetlinkError as error:
        if error.code not in (errno.EADDRNOTAVAIL, errno.ENODEV):  # somebody else removed it
            raise
