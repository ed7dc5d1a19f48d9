"""What the splicing engine knows of the configuration: services behind listeners, and their pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastpath.records import Offer
from slowpath.balancing.member import Balancer, Member
from slowpath.routing.router import Router
from slowpath.splicing.protocols import ApplicationProtocol
from slowpath.wire.endpoint import Endpoint


@dataclass(slots=True)
class Pool:
    """Servers that can answer for each other. `members` are shared with the balancer and the health checks."""

    name: str
    members: list[Member]
    balancer: Balancer


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds."""

    connect: float = 1.0
    """For one server to answer a SYN."""
    head: float = 10.0
    """From a connection's first byte to the end of its request head: 408 after that."""
    answer: float = 5.0
    """For a client to take one of our own answers: RST after that."""
    idle: float = 600.0
    """Without a packet, for connections that the slow path forwards; the fast path reports its own."""
    linger: float = 2.0
    """From the end of a connection to the removal of its record."""


@dataclass(slots=True)
class Service:
    """A listener: where it listens, how it routes, and what its SYN-ACKs offer (kept current by health checks)."""

    name: str
    endpoint: Endpoint
    router: Router
    pools: Mapping[str, Pool]
    timeouts: Timeouts
    protocol: ApplicationProtocol
    offer: Offer
