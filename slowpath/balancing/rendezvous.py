"""Rendezvous hashing: a key stays with its server as long as that is available.

Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996); weighted as in Schindelhauer
and Schomaker, "Weighted Distributed Hash Tables" (2005). It depends on addresses and weights alone, so that
balancers agree and a restart changes nothing. A server that goes moves its own keys only, spread over
the others by weight; one that comes takes its share from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from slowpath.balancing.hashed import Hashed
from slowpath.balancing.hashing import hash64, mix64, packed
from slowpath.balancing.keys import Key
from slowpath.balancing.member import Member


class Rendezvous(Hashed):
    """Every member draws a number for the key; the least one wins."""

    def __init__(self, members: Sequence[Member], key: Key) -> None:
        super().__init__(members, key)
        self._seeds = {member: hash64(packed(member.endpoint)) for member in members}

    def _place(self, key: bytes, left: Sequence[Member]) -> Member:
        if len(left) == 1:
            return left[0]
        number, seeds = hash64(key), self._seeds
        return min(left, key=lambda member: _draw(number ^ seeds[member], member.share))


def _draw(number: int, share: float) -> float:
    """Exponentially distributed with rate `share`: the least of several is in proportion to the shares."""
    # 52 bits and a half: a double holds it exactly, and it is never 0 or 1.
    return -log(((mix64(number) >> 12) + 0.5) / (1 << 52)) / share
