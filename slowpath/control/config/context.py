"""What one part of the file has to know of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import ValidationInfo

from fastpath.switch.network import Network
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV6, family_of

ACROSS_VERSIONS = "between IP versions servers see addresses of ours: source: {snat: [ADDRESS, ...]}"
"""What to do about clients and servers of different IP versions in transparent mode."""


@dataclass(slots=True)
class Context:
    """Filled as sections are read: `Config` names them in such an order that each finds what it needs."""

    directory: Path
    """Of the configuration file: what files it names are relative to."""
    pools: list[str]
    """The names of all pools; known from the start, for listeners and pools refer to each other."""
    listeners: set[Endpoint] = field(default_factory=set)
    """The addresses of listeners, for the pools."""
    ipv6: bool = True
    """Whether the fast path forwards IPv6; until it is known nothing is said against it."""
    snat: frozenset[int] | None = None
    """The IP versions of the addresses that servers see; None where they see the clients' own."""
    network: Network | None = None
    """Where a switch's ports lead, for everything that needs a route; None on a host, which has its own."""

    def require_forwarded(self, version: int, value: object) -> None:
        """Raise ValueError if the fast path does not forward the IP version of `value`."""
        if version == IPV6.version and not self.ipv6:
            raise ValueError(f"{value}: this fast path forwards IPv4 only; use an IPv4 address")

    def require_source(self, server: Endpoint) -> None:
        """Raise ValueError if no connection can come to `server`, for want of a source of its IP version."""
        version = family_of(server.address).version
        if self.snat is not None:
            if version not in self.snat:
                raise ValueError(f"{server}: source.snat has no IPv{version} address to reach it from; add one")
        elif self.listeners and all(family_of(listener.address).version != version for listener in self.listeners):
            raise ValueError(f"{server}: no listener has IPv{version}; {ACROSS_VERSIONS}")

    @classmethod
    def of(cls, info: ValidationInfo) -> Context:
        """The context of the validation that `info` is of."""
        return cast(Context, info.context)
