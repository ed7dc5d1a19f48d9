"""What the hashing strategies have in common: a key of client and request decides, not the load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from slowpath.balancing.keys import Key
from slowpath.balancing.member import Member, candidates
from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint


class Hashed(ABC):
    """Places keys; a member that is full is passed over as one that is not available."""

    regards_clients = True

    def __init__(self, members: Sequence[Member], key: Key) -> None:
        self._members = members
        self._key = key

    @abstractmethod
    def _place(self, key: bytes, left: Sequence[Member]) -> Member:
        """The one of `left`, at least one, that `key` belongs to."""

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        left = candidates(self._members, tried)
        return self._place(self._key(client, request), left) if left else None

    def turns(self, count: int) -> list[Member]:
        """See Balancer: the key decides."""
        return []

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """See Balancer: it stays where a new connection would go, its own place included."""
        left = [each for each in self._members if each.available and (each is member or not each.full)]
        return bool(left) and self._place(self._key(client, request), left) is member
