"""The access lists in l7lb_access: each distinct list once, under a number that listeners refer to."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from fastpath.access import Access
from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import Map
from fastpath.errors import TableFull

NO_LIST = 0
"""The number of a listener that serves everybody."""


class AccessLists:
    """A list is complete before a listener refers to it, and goes when none does any more."""

    def __init__(self, table: Map) -> None:
        self._table = table
        self._numbers: dict[Access, int] = {}
        self._last = NO_LIST

    @property
    def lists(self) -> AbstractSet[Access]:
        """Those that are there."""
        return frozenset(self._numbers)

    def add(self, wanted: AbstractSet[Access]) -> None:
        """Write those of `wanted` that are not there; raises TableFull, or BpfError. `keep` undoes it."""
        count = sum(len(access.rules) for access in wanted | self._numbers.keys())
        if count > layout.MAX_ACCESS_RULES:
            raise TableFull(f"{count} prefixes of access lists do not fit: {layout.MAX_ACCESS_RULES} do")
        for access in wanted - self._numbers.keys():
            self._last += 1
            # Noted first: what fails half-way has to be taken out again.
            self._numbers[access] = self._last
            self._table.update_batch(
                {layout.access_key(self._last, *prefix): layout.flag(served) for prefix, served in access.rules.items()}
            )

    def keep(self, wanted: AbstractSet[Access]) -> None:
        """Delete those that are not in `wanted`; raises BpfError."""
        for access in self._numbers.keys() - wanted:
            number = self._numbers[access]
            self._table.delete_batch(layout.access_key(number, *prefix) for prefix in access.rules)
            del self._numbers[access]

    def number(self, access: Access | None) -> int:
        """What a listener refers to `access` by, which is there."""
        return NO_LIST if access is None else self._numbers[access]
