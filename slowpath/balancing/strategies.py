"""The strategies that go by weight and load, wherever the client comes from and whatever it asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from slowpath.balancing.member import Member, candidates
from slowpath.balancing.smooth import SmoothWeighted
from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint


class _Indifferent:
    """Any member that is available is as good for a connection as another."""

    regards_clients = False

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members

    def turns(self, count: int) -> list[Member]:
        """See Balancer: the load decides."""
        return []

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """See Balancer."""
        return member.available


class RoundRobin(_Indifferent):
    """Each in turn, in proportion to the weights and evenly spread."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__(members)
        self._turn: SmoothWeighted[Member] = SmoothWeighted()

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        return self._turn.pick((member, member.share) for member in candidates(self._members, tried))

    def turns(self, count: int) -> list[Member]:
        """See Balancer; whole rounds where they fit, so that they can be taken again and again."""
        left = candidates(self._members, ())
        round_ = sum(member.share for member in left)
        if 0 < round_ <= count:
            count -= int(count % round_)
        picked = [self._turn.pick((member, member.share) for member in left) for _ in range(count)]
        return [member for member in picked if member is not None]


class LeastConnections(_Indifferent):
    """The member with the least load; several of the same load take turns by weight."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__(members)
        self._turn: SmoothWeighted[Member] = SmoothWeighted()

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        left = candidates(self._members, tried)
        least = min((member.load for member in left), default=0.0)
        return self._turn.pick((member, member.share) for member in left if member.load == least)


class RandomTwo(_Indifferent):
    """The less loaded of two members drawn at random by weight.

    Nearly as even as LeastConnections, and without its stampede: several balancers with the same
    servers do not all go for the same one (Mitzenmacher, "The Power of Two Choices in Randomized
    Load Balancing", 2001).
    """

    def __init__(self, members: Sequence[Member], random: Random) -> None:
        super().__init__(members)
        self._random = random

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        left = candidates(self._members, tried)
        first = self._draw(left)
        second = self._draw([member for member in left if member is not first])
        if first is None or second is None:
            return first
        return second if second.load < first.load else first

    def _draw(self, left: Sequence[Member]) -> Member | None:
        if not left:
            return None
        return self._random.choices(left, [member.share for member in left])[0]
