"""Access lists of listeners: the longest prefix decides, for what belongs to no splice."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from fastpath.access import Access, Prefix
from fastpath.frame import Action
from fastpath.records import Drop, Listener, Reason
from fastpath.verdict import Dropped, Passed
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, PSH, RST, SYN, Tcp
from tests.conformance.target import CLIENT_PORT
from tests.conformance.vectors import ipv6_model
from tests.conformance.vectors.ipv6_model import STRANGER6, UP6, UP6_LEFT, VIP6
from tests.conformance.vectors.model import (
    STRANGER,
    UP,
    UP_LEFT,
    VIP,
    Injection,
    Vector,
    dropped,
    punted,
    to_server,
    up,
)

_SYN = Tcp(source=STRANGER, destination=VIP, flags=SYN)
_OTHER_VIP = Endpoint(VIP.address, 443)


def _prefixes(*networks: str) -> tuple[Prefix, ...]:
    parsed = map(ip_network, networks)
    return tuple(Prefix(network.network_address.packed, network.prefixlen) for network in parsed)


def _access(allow: str = "", deny: str = "") -> Access:
    """Lists from words."""
    return Access(_prefixes(*allow.split()), _prefixes(*deny.split()))


def _with(vector: Vector, access: Access) -> Vector:
    """`vector` with an access list on its listener, and one that denies everybody on another port of the address."""
    listeners = (Listener(_OTHER_VIP, access=_access(deny="0.0.0.0/0 ::/0")), Listener(VIP, access=access))
    return replace(vector, name=f"access, {vector.name}", rules=replace(vector.rules, listeners=listeners))


def _denied(name: str, access: Access, packet: Tcp = _SYN) -> Vector:
    return _with(dropped(name, Drop.DENIED, packet), access)


def _served(name: str, access: Access, packet: Tcp = _SYN) -> Vector:
    return _with(punted(name, Reason.SYN if packet.flags == SYN else Reason.MISS, packet), access)


_HOST, _NETWORK, _ALL = "10.1.0.77/32", "10.1.0.0/24", "0.0.0.0/0"
_DENY_NETWORK = _access(deny=_NETWORK)
_DATA = b"sixteen bytes..."

VECTORS = (
    _denied("a denied network", _DENY_NETWORK),
    _denied("a denied host", _access(deny=_HOST)),
    _denied("everybody", _access(deny=_ALL)),
    _denied("all of IPv4 but half", _access(deny="0.0.0.0/1")),
    _denied("outside of what is allowed", _access(allow="10.2.0.0/16")),
    _denied("IPv6 alone is allowed", _access(allow="::/0")),
    _denied("in both lists", _access(allow=_NETWORK, deny=_NETWORK)),
    _denied("a host of an allowed network", _access(allow=_NETWORK, deny=_HOST)),
    _denied("an ACK", _DENY_NETWORK, replace(_SYN, flags=ACK)),
    _denied("data", _DENY_NETWORK, replace(_SYN, flags=ACK | PSH, payload=_DATA)),
    _denied("a reset", _DENY_NETWORK, replace(_SYN, flags=RST)),
    _denied("a SYN with IPv4 options", _DENY_NETWORK, replace(_SYN, ip_options=bytes(4))),
    _served("outside of what is denied", _access(deny="10.1.0.0/26")),
    _served("the next host is denied", _access(deny="10.1.0.76/32 10.1.0.78/32")),
    _served("an allowed host of a denied network", _access(allow=_HOST, deny=_NETWORK)),
    _served("an allowed network of an allowed and denied one", _access(allow=f"{_NETWORK} {_HOST}", deny=_NETWORK)),
    _served("everybody", _access(allow=_ALL)),
    _served("all of IPv6 is denied", _access(deny="::/0")),
    _served("data", _access(allow=_HOST), replace(_SYN, flags=ACK | PSH, payload=_DATA)),
    _with(dropped("malformed comes first", Drop.MALFORMED, replace(_SYN, data_offset=4)), _DENY_NETWORK),
    _with(
        Vector(
            "injected to translate: a denied client's",
            Injection(_SYN.injected(Action.TRANSLATE, CLIENT_PORT)),
            Dropped(Drop.STALE),
        ),
        _DENY_NETWORK,
    ),
    _with(to_server("a splice is left alone", UP, UP_LEFT), _DENY_NETWORK),
    _with(punted("a SYN within a splice", Reason.SYN, replace(UP, flags=SYN)), _DENY_NETWORK),
    _with(
        Vector("passed: no listener's port", up(replace(_SYN, destination=Endpoint(VIP.address, 81))), Passed()),
        _DENY_NETWORK,
    ),
)

_SYN6 = Tcp(source=STRANGER6, destination=VIP6, flags=SYN)


def _with6(vector: Vector, access: Access) -> Vector:
    return replace(
        vector, name=f"access, {vector.name}", rules=replace(vector.rules, listeners=(Listener(VIP6, access=access),))
    )


def _denied6(name: str, access: Access) -> Vector:
    return _with6(ipv6_model.dropped(name, Drop.DENIED, _SYN6), access)


def _served6(name: str, access: Access) -> Vector:
    return _with6(ipv6_model.punted(name, Reason.SYN, _SYN6), access)


_HOST6, _NETWORK6 = "2001:db8:1::77/128", "2001:db8:1::/64"

VECTORS6 = (
    _denied6("a denied network", _access(deny=_NETWORK6)),
    _denied6("a denied host", _access(deny=_HOST6)),
    _denied6("a host of an allowed network", _access(allow=_NETWORK6, deny=_HOST6)),
    _denied6("everybody", _access(deny="::/0")),
    _denied6("IPv4 alone is allowed", _access(allow=_ALL)),
    _served6("an allowed host of a denied network", _access(allow=f"{_HOST6} {_ALL}", deny=_NETWORK6)),
    _served6("the next host is denied", _access(deny="2001:db8:1::76/128")),
    _served6("all of IPv4 is denied", _access(deny=_ALL)),
    _with6(ipv6_model.to_server("a splice is left alone", UP6, UP6_LEFT), _access(deny=_NETWORK6)),
)
"""The same for clients with IPv6."""
