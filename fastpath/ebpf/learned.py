"""What precedents and admissions have in common: a map that this side fills, for a time, and counts by label."""

from __future__ import annotations

from collections.abc import Sequence

from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import Map


class Learned:
    """The keys in `table`, and until when (nanoseconds) each holds; `counts` is by label."""

    def __init__(self, table: Map, counts: Map, capacity: int) -> None:
        self._table, self._counts, self._capacity = table, counts, capacity
        self._until: dict[bytes, int] = {}
        """By key, the one to end first at the front, but for those that were set again."""
        self._labels: set[int] = set()

    def revoke(self) -> None:
        """Let none of them hold any more."""
        self._delete(list(self._until))

    def counted(self) -> dict[int, int]:
        """What has come to pass by them, by label."""
        values = {label: self._counts.lookup(layout.number(label)) for label in self._labels}
        return {label: layout.total(value) for label, value in values.items() if value is not None}

    def _has_room(self, key: bytes) -> bool:
        return key in self._until or len(self._until) < self._capacity

    def _note(self, key: bytes, until: int, label: int) -> None:
        self._until.pop(key, None)
        self._until[key] = until
        self._labels.add(label)

    def _expire(self, now: int) -> None:
        over: list[bytes] = []
        for key, until in self._until.items():
            if until > now:
                break
            over.append(key)
        self._delete(over)

    def _delete(self, keys: Sequence[bytes]) -> None:
        for key in keys:
            del self._until[key]
        self._table.delete_batch(keys)
