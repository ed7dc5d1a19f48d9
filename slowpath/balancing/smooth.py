"""Smooth weighted round robin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class SmoothWeighted(Generic[Key]):
    """Picks keys in proportion to their weights, as evenly spread as can be: a a b a c a a for 5, 1, 1.

    Every pick adds each candidate's weight to its credit, takes the candidate with the most credit
    (the first of several) and takes the sum of the weights off its credit: the way of nginx.
    While the weights stay the same, as many picks as their sum are exactly in proportion.
    """

    def __init__(self) -> None:
        self._credit: defaultdict[Key, float] = defaultdict(int)

    def pick(self, weights: Iterable[tuple[Key, float]]) -> Key | None:
        """One of the keys with a weight above 0, None if there is none; the candidates may change between picks."""
        credit = self._credit
        best = None
        most = total = 0.0
        for key, weight in weights:
            if weight <= 0:
                continue
            total += weight
            mine = credit[key] = credit[key] + weight
            if best is None or mine > most:
                best, most = key, mine
        if best is not None:
            credit[best] -= total
        return best
