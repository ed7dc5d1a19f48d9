"""The scalar values of a configuration: durations, addresses, names.

Each type here reads what YAML made of the text and raises ValueError that says what would be right.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, Field, InstanceOf, PlainValidator

from slowpath.control.config.problems import alternatives
from slowpath.wire.endpoint import Endpoint

MAX_SNAT_ADDRESSES = 1024

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""A token (RFC 9110 section 5.6.2): methods, names of header fields and cookies."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_MAX_SECONDS = 86400.0

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def duration(value: object) -> float:
    """Seconds from `500ms`, `2s`, `1.5s` or `10m`; more than nothing and at most a day."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration: a number with ms, s or m, as in 500ms, 2s, 10m")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _MAX_SECONDS:
        raise ValueError(f"{value!r} is not a duration of more than 0 and at most {_MAX_SECONDS / 60:.0f}m")
    return seconds


def endpoint(value: object) -> Endpoint:
    """An address and port from `192.0.2.1:80` or `[2001:db8::1]:80`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not ADDRESS:PORT, as in 192.0.2.1:80")
    return Endpoint.parse(value)


def forwarded_endpoint(value: object) -> Endpoint:
    """An endpoint whose traffic is spliced: a unicast address that is reached through an interface."""
    parsed = endpoint(value)
    address = ipaddress.ip_address(parsed.address)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"{value}: an IPv4-mapped address is in no packet; name {address.ipv4_mapped} itself")
    if address.is_unspecified or address.is_multicast or address.is_loopback:
        raise ValueError(f"{value}: {address} cannot be reached through an interface; name a unicast address")
    if address.version == 6 and address.is_link_local:
        raise ValueError(
            f"{value}: a link-local address is not the same on every interface; name a global or unique local one"
        )
    return parsed


def text(pattern: str, meaning: str) -> PlainValidator:
    """A validator of text that matches `pattern` as a whole; `meaning` says in words what that is."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"{value!r} is not {meaning}")
        return value

    return PlainValidator(check)


def choice(*known: str) -> Callable[[object], str]:
    """Accepts `known` words."""

    def check(value: object) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is unknown: {alternatives(str(value), known)}")
        return str(value)

    return check


def snat_networks(value: object) -> tuple[IpNetwork, ...]:
    """Addresses and CIDR ranges, without overlap and not too many."""
    if not isinstance(value, list) or not value:
        raise ValueError("is a list of addresses or ranges, as in ['192.0.2.16/28', 192.0.2.40]")
    networks: list[IpNetwork] = []
    for item in value:
        parsed = network(item)
        if clash := next((other for other in networks if parsed.overlaps(other)), None):
            raise ValueError(f"{item} overlaps {clash}: name every address once")
        networks.append(parsed)
    if (count := sum(network.num_addresses for network in networks)) > MAX_SNAT_ADDRESSES:
        raise ValueError(
            f"{count} addresses are more than {MAX_SNAT_ADDRESSES}; each one serves some 64,000 connections"
        )
    return tuple(networks)


def network(value: object) -> IpNetwork:
    """An address or CIDR range, without host bits."""
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        hint = " (did you mean its network address?)" if "host bits" in str(error) else ""
        raise ValueError(f"{value!r} is not an address or range as 192.0.2.16/28{hint}") from None


Duration = Annotated[float, BeforeValidator(duration)]
AnyEndpoint = Annotated[InstanceOf[Endpoint], PlainValidator(endpoint)]
ForwardedEndpoint = Annotated[InstanceOf[Endpoint], PlainValidator(forwarded_endpoint)]
Name = Annotated[
    str, text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name: a letter or digit, then up to 63 of those, . _ -")
]
Interface = Annotated[str, text(r"[^\s/:]{1,15}", "an interface name: 1 to 15 characters without space, / and :")]
SnatNetworks = Annotated[tuple[IpNetwork, ...], PlainValidator(snat_networks)]
Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Weight = Annotated[int, Field(strict=True, ge=0, le=1000)]
ServerLabel = Annotated[str, text(r"[A-Za-z0-9_-]{1,64}", "a server's name: up to 64 letters, digits, _ and -")]
Token = Annotated[str, text(TOKEN.pattern, "the name of a cookie: letters, digits and !#$%&'*+-.^_`|~")]
InstanceName = Annotated[str, text(r"[a-z][a-z0-9_-]{0,13}", "an instance name: a to z, then up to 13 of a-z 0-9 _ -")]
RequestPath = Annotated[str, text(r"/[!-~]*", "a path as in /healthz")]
HostHeader = Annotated[str, text(r"[!-~]{1,255}", "a host name")]
