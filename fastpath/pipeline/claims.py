"""Connections that are not spliced yet, or cannot be, and were seen a moment ago.

Their packets must miss the compressed table, so no record with their digest may be in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from fastpath.records import Flow

_LIFETIME = 75.0
"""Seconds without a packet after which a claim ends: longer than a client repeats a SYN or a segment."""
_CAPACITY = 65_536


class Claims:
    """The digests of up to 65,536 flows, the latest ones; `now` is in seconds."""

    def __init__(self) -> None:
        self._flows: OrderedDict[Flow, tuple[int, float]] = OrderedDict()
        self._counts: dict[int, int] = {}
        """Claims by digest."""

    def __len__(self) -> int:
        return len(self._flows)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._flows)

    def note(self, flow: Flow, digest: int, now: float) -> None:
        """A packet of `flow` was punted."""
        self.release(flow)
        while self._flows and (len(self._flows) >= _CAPACITY or now - self._oldest() >= _LIFETIME):
            self._count(self._flows.popitem(last=False)[1][0], -1)
        self._flows[flow] = digest, now
        self._count(digest, 1)

    def release(self, flow: Flow) -> None:
        """`flow` has a record, and claims nothing any more."""
        claim = self._flows.pop(flow, None)
        if claim is not None:
            self._count(claim[0], -1)

    def is_claimed(self, digest: int, flow: Flow) -> bool:
        """Whether another flow than `flow` claims `digest`."""
        own = self._flows.get(flow)
        return self._counts.get(digest, 0) > (own is not None and own[0] == digest)

    def renumber(self, digest: Callable[[Flow], int]) -> None:
        """The groups have changed, and the digests with them."""
        self._counts.clear()
        for flow, (_, seen) in self._flows.items():
            self._flows[flow] = digest(flow), seen
            self._count(self._flows[flow][0], 1)

    def _oldest(self) -> float:
        return next(iter(self._flows.values()))[1]

    def _count(self, digest: int, change: int) -> None:
        claims = self._counts.get(digest, 0) + change
        if claims:
            self._counts[digest] = claims
        else:
            self._counts.pop(digest, None)
