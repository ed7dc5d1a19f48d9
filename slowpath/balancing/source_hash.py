"""Rendezvous hashing: a client address stays with its server as long as that is available.

Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996); weighted as in Schindelhauer
and Schomaker, "Weighted Distributed Hash Tables" (2005). It depends on addresses and weights alone, so that
balancers agree and a restart changes nothing. A server that goes moves its own clients only, spread over
the others by weight; one that comes takes its share from all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log

from slowpath.balancing.hashing import hash64, packed
from slowpath.balancing.member import Member, candidates
from slowpath.wire.endpoint import Endpoint


class SourceHash:
    """The member for the client's address, whatever its port."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members

    def pick(self, client: Endpoint, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        return min(
            candidates(self._members, tried),
            key=lambda member: _distance(client.address, member),
            default=None,
        )


def _distance(address: bytes, member: Member) -> float:
    """Exponentially distributed with rate `member.weight`: the least of several is in proportion to the weights."""
    # 52 bits and a half: a double holds it exactly, and it is never 0 or 1.
    uniform = ((hash64(address, key=packed(member.endpoint)) >> 12) + 0.5) / (1 << 52)
    return -log(uniform) / member.weight
