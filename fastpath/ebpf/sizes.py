"""How large the maps are that grow with the number of splices."""

from __future__ import annotations

from dataclasses import dataclass

from fastpath.ebpf.index import MAX_RECORDS, buckets_for

_SPARE_SHIFT, _LEAST_SPARE = 5, 1024
_BLANKS_SHIFT, _MOST_BLANKS = 3, 16384
_LEAST_CAPACITY = 1024
"""Splices below which there are no blank records."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes for so many splices."""

    capacity: int

    @property
    def records(self) -> int:
        """Some more than splices: those that were given back rest for a while, and others are blank."""
        spare = (self.capacity >> _SPARE_SHIFT) + _LEAST_SPARE
        return min(self.capacity + spare + self.blanks, MAX_RECORDS)

    @property
    def buckets(self) -> int:
        """Of the index."""
        return buckets_for(self.capacity)

    @property
    def blanks(self) -> int:
        """Records that the program may make splices of by itself."""
        return min(self.capacity >> _BLANKS_SHIFT, _MOST_BLANKS) if self.capacity >= _LEAST_CAPACITY else 0

    @property
    def maps(self) -> dict[str, int]:
        """The entries of each map, by its name."""
        # A few records may be in a queue twice.
        queue = self.blanks + (self.blanks >> 3)
        for_blanks = {"l7lb_admitted": 2 * self.blanks, "l7lb_blanks": queue, "l7lb_ended": queue}
        least = {name: max(entries, 1) for name, entries in for_blanks.items()}
        return {"l7lb_splices": self.records, "l7lb_index": self.buckets, **least}
