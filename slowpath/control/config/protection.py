"""Whom a listener serves, and how much of it (docs/configuration.md, listeners)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field, PlainValidator

from fastpath.access import Prefix
from slowpath.control.config.section import Section
from slowpath.control.config.values import choice

_RATE = re.compile(r"([1-9][0-9]{0,6})/(s|m|h)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_MAX_COUNT = 1_000_000
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


class Frequency(NamedTuple):
    """So many in so many seconds."""

    times: int
    seconds: int


def frequency(value: object) -> Frequency:
    """`100/s`, `600/m` or `1000/h`."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > _MAX_COUNT:
        raise ValueError(f"{value!r} is not a rate: 1 to {_MAX_COUNT} per s, m or h, as in 100/s or 600/m")
    return Frequency(int(match[1]), _SECONDS[match[2]])


def prefixes(value: object) -> tuple[Prefix, ...]:
    """Addresses and networks of either family."""
    if not isinstance(value, list) or not value:
        raise ValueError("is a list of addresses or networks, as in [192.0.2.0/24, '2001:db8::/32']")
    return tuple(map(prefix, value))


def prefix(value: object) -> Prefix:
    """An address or network of either family."""
    try:
        network = ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        hint = " (did you mean its network address?)" if "host bits" in str(error) else ""
        raise ValueError(f"{value!r} is not an address or network as 192.0.2.0/24 or 2001:db8::/32{hint}") from None
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError(f"{value}: IPv4 clients are named by their IPv4 addresses")
    return Prefix(network.network_address.packed, network.prefixlen)


Prefixes = Annotated[tuple[Prefix, ...], PlainValidator(prefixes)]


def _shorthand(value: object) -> object:
    """`100/s` is short for `{rate: 100/s}`."""
    return {"rate": value} if isinstance(value, str) else value


class RateConfig(Section):
    """A token bucket; without `burst` as many at once as the rate names."""

    rate: Annotated[Frequency, PlainValidator(frequency)]
    burst: Annotated[int, Field(strict=True, ge=1, le=_MAX_COUNT)] | None = None
    per: Annotated[str, PlainValidator(choice("client", "all"))] = "client"


RateLimit = Annotated[RateConfig, BeforeValidator(_shorthand)]


class ClientPrefixConfig(Section):
    """How many bits of their addresses clients have in common that count as one."""

    ipv4: Annotated[int, Field(strict=True, ge=1, le=32)] = 32
    ipv6: Annotated[int, Field(strict=True, ge=1, le=128)] = 64


class ListenerLimitsConfig(Section):
    """How much clients may have and do; what is not given is not limited."""

    connections_per_client: Annotated[int, Field(strict=True, ge=1, le=_MAX_COUNT)] | None = None
    connection_rate: RateLimit | None = None
    request_rate: RateLimit | None = None
    client_prefix: ClientPrefixConfig = ClientPrefixConfig()
