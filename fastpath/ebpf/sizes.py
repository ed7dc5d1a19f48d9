"""How large the maps are that grow with the number of splices."""

from __future__ import annotations

from dataclasses import dataclass

from fastpath.ebpf.index import MAX_RECORDS, buckets_for

_SPARE_SHIFT, _LEAST_SPARE = 5, 1024


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes for so many splices."""

    capacity: int

    @property
    def records(self) -> int:
        """Some more than splices: those that were given back rest for a while."""
        return min(self.capacity + (self.capacity >> _SPARE_SHIFT) + _LEAST_SPARE, MAX_RECORDS)

    @property
    def buckets(self) -> int:
        """Of the index."""
        return buckets_for(self.capacity)
