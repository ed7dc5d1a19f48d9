"""What is to become of some splices, as it is made up before any of it is written."""

from __future__ import annotations

from fastpath.ebpf.index import Index, Plan
from fastpath.ebpf.paths import Path


class Batch:
    """Some splices that are to be installed, in order."""

    def __init__(self, index: Index) -> None:
        self.plan = Plan(index)
        self.paths: list[Path] = []
        self.records: list[bytes] = []
        self.totals: list[int] = []
        """The sums of both tuples of each splice."""
        self.positions: list[int] = []
        """Where the entries of both come; -1: that is still to be found."""
        self.slots: list[int] = []
        """Those entries, but for the record."""
        self.replaced: list[int] = []
        """The records that give way."""
