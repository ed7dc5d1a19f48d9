"""What the splicing engine knows of the configuration: services behind listeners, and their pools."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fastpath.access import Access
from fastpath.records import Offer, Pivot
from slowpath.balancing import slow_start
from slowpath.balancing.member import Balancer, Member
from slowpath.limiting.limits import ListenerLimits
from slowpath.proxy_protocol import Version
from slowpath.request import Request
from slowpath.routing.router import Router
from slowpath.splicing.protocols import ApplicationProtocol
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How many sessions of a pool may wait while its servers are full, and for how many seconds: 503 after that."""

    size: int = 100
    timeout: float = 10.0


@dataclass(slots=True, eq=False)
class Pool:
    """Servers that can answer for each other. `members` are shared with the balancer and the health checks.

    `slow_start` is the seconds in which a server that comes up gets its full share; 0: at once.
    `proxy_protocol` is the version in which the servers are told who their client is; None: they are not.
    """

    name: str
    members: list[Member]
    balancer: Balancer
    queue: QueuePolicy = QueuePolicy()
    slow_start: float = 0.0
    proxy_protocol: Version | None = None

    def choose(self, client: Endpoint, request: Request, tried: Collection[int], now: float) -> Member | None:
        """The member for a new connection, as `Balancer.pick`."""
        if self.slow_start:
            slow_start.advance(self.members, self.slow_start, now)
        return self.balancer.pick(client, request, tried)

    def turns(self, count: int, now: float) -> list[Member]:
        """Whose turn it is for the next connections, `count` at most, as `Balancer.turns`."""
        if self.slow_start:
            slow_start.advance(self.members, self.slow_start, now)
        return self.balancer.turns(count)

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """Whether the connection that `client` has to `member` may carry `request`, too; a full member is no reason."""
        return self.balancer.stays(client, member, request)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds."""

    connect: float = 1.0
    """For one server to answer a SYN."""
    head: float = 10.0
    """From a connection's first byte to the end of its request head: 408 after that."""
    answer: float = 5.0
    """For a client to take one of our own answers: RST after that."""
    keep_alive: float = 15.0
    """For the next request of a client whose server has closed between two."""
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
    access: Access | None = None
    """Whom it serves; None: everybody."""
    limits: ListenerLimits | None = None
    pivot: Pivot = Pivot.NONE
    """How precisely the target tells where a request ends; NONE where the first one decides for a connection."""
    precedents: bool = False
    """Whether the target can follow precedents."""
    admissions: bool = False
    """Whether the target can let connections in, and nobody logs them."""
    access_log: float = 1.0
    """The share of its connections that are logged, if there is an access log."""
