"""The members of a pool, and what every balancing strategy is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint

UNLIMITED = 1 << 62
"""More connections than there can be."""


@dataclass(slots=True, eq=False)
class Member:
    """A server in its pool, with the state that balancing goes by; its owner changes that in place.

    `id` is the `Server.id`. `weight` is the server's share of new connections, relative to the
    others'; 0 keeps them away. `up` is the active health checks' verdict, `ejected` that of the
    passive ones; `panic` says that so few servers of the pool are left that both are passed over.
    `draining` is the operator's wish that no new connections come. `connections` counts the open
    ones, and at `max_connections` it gets no more. `name` is what cookies call it, empty for none.
    Members of a lower `rank` are preferred. `up_since` is when it last came up, None when that has
    no effect any more, and `ramp` the part of its weight that it gets while it starts slowly, above
    0 and at most 1. `endpoint`, `name` and `rank` do not change while a balancer uses the member,
    the others may at any time.
    """

    id: int
    endpoint: Endpoint
    weight: int = 1
    up: bool = True
    ejected: bool = False
    panic: bool = False
    draining: bool = False
    connections: int = 0
    max_connections: int = UNLIMITED
    name: str = ""
    rank: int = 0
    up_since: float | None = None
    ramp: float = 1.0

    @property
    def healthy(self) -> bool:
        """Whether the health checks have nothing against it."""
        return self.up and not self.ejected

    @property
    def alive(self) -> bool:
        """Whether those may go to it that no other server can serve."""
        return self.healthy or self.panic

    @property
    def available(self) -> bool:
        """Whether new connections may go to it."""
        return ((self.up and not self.ejected) or self.panic) and not self.draining and self.weight > 0

    @property
    def full(self) -> bool:
        """Whether it has as many connections as it takes."""
        return self.connections >= self.max_connections

    @property
    def share(self) -> float:
        """What it should get in relation to the others, by weight and slow start."""
        return self.weight * self.ramp

    @property
    def load(self) -> float:
        """Open connections in relation to its share, which must not be 0."""
        return self.connections / self.share


class Balancer(Protocol):
    """Decides which member gets the next connection."""

    @property
    def regards_clients(self) -> bool:
        """Whether `stays` depends on who the client is, and not on member and request alone."""

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """A member whose id is not in `tried`; a full one where it has to be waited for; None: nobody is left (503)."""

    def turns(self, count: int) -> list[Member]:
        """Whose turn it is for the next connections, `count` at most, of whoever; empty if that is not known."""

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """Whether `request` may follow others on a connection to `member`, which may be full."""


def candidates(members: Iterable[Member], tried: Collection[int]) -> list[Member]:
    """The members that a pick chooses from: those that are available, the full ones only if all are full."""
    left = [member for member in members if member.available and member.id not in tried]
    for member in left:
        if member.connections >= member.max_connections:
            return [each for each in left if not each.full] or left
    return left
