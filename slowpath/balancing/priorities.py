"""Priorities: servers that are asked only while all those before them are away."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slowpath.balancing.member import Balancer, Member
from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint


class Priorities:
    """Balances within the first group that has an available member; one that is merely full is waited for."""

    def __init__(self, groups: Sequence[tuple[Sequence[Member], Balancer]]) -> None:
        """`groups` are members and the strategy over them, the best group first."""
        self._groups = groups

    @property
    def regards_clients(self) -> bool:
        """See Balancer."""
        return any(inner.regards_clients for _, inner in self._groups)

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        for _, inner in self._groups:
            if (member := inner.pick(client, request, tried)) is not None:
                return member
        return None

    def turns(self, count: int) -> list[Member]:
        """See Balancer."""
        for members, inner in self._groups:
            if any(each.available for each in members):
                return inner.turns(count)
        return []

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """See Balancer: requests leave a backup server once a better one is back."""
        for members, inner in self._groups:
            if any(each.available for each in members):
                return member in members and inner.stays(client, member, request)
        return False
