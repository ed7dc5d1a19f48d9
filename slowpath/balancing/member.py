"""The members of a pool, and what every balancing strategy is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from slowpath.wire.endpoint import Endpoint


@dataclass(slots=True, eq=False)
class Member:
    """A server in its pool, with the state that balancing goes by; its owner changes that in place.

    `id` is the `Server.id`. `weight` is the server's share of new connections, relative to the
    others'; 0 keeps them away. `up` is the health checks' verdict, `draining` the operator's wish
    that no new connections come. `connections` counts the open ones. These three may change at any
    time, the others not while a balancer uses the member.
    """

    id: int
    endpoint: Endpoint
    weight: int = 1
    up: bool = True
    draining: bool = False
    connections: int = 0

    @property
    def available(self) -> bool:
        """Whether new connections may go to it."""
        return self.up and not self.draining and self.weight > 0

    @property
    def load(self) -> float:
        """Open connections per unit of weight, which must not be 0."""
        return self.connections / self.weight


class Balancer(Protocol):
    """Decides which member gets the next connection."""

    def pick(self, client: Endpoint, tried: Collection[int] = ()) -> Member | None:
        """An available member whose id is not in `tried`; None: nobody is left (503)."""


def candidates(members: Iterable[Member], tried: Collection[int]) -> list[Member]:
    """The members that a pick may return."""
    return [member for member in members if member.available and member.id not in tried]
