"""The precedents in l7lb_precedents, which this side alone writes, and takes out again."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from siphash24 import siphash24

from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.errors import Unavailable
from fastpath.records import Precedent

_SECOND = 1_000_000_000


class Precedents:
    """Those that hold, by path and head; heads are hashed with SipHash-2-4 and the 16 bytes of `key`."""

    def __init__(self, table: Map, counts: Map, key: bytes) -> None:
        self._table, self._counts, self._key = table, counts, key
        self._until: dict[bytes, float] = {}
        """By key of the table, the one to end first at the front, but for those that were set again."""
        self._labels: set[int] = set()

    def set(self, precedents: Iterable[tuple[int, Precedent]], now: float) -> None:
        """Add precedents with the numbers of their paths, or make them hold for longer; raises Unavailable.

        What holds no more at `now` (seconds) is taken out; what finds no room is passed over.
        """
        self._expire(now)
        elements: dict[bytes, bytes] = {}
        for path, one in precedents:
            key = layout.precedent_key(siphash24(one.head, key=self._key).digest(), path)
            if key in self._until or len(self._until) < layout.MAX_PRECEDENTS:
                self._until.pop(key, None)
                self._until[key] = one.until
                self._labels.add(one.label)
                elements[key] = layout.precedent(int(one.until * _SECOND), one.label)
        try:
            self._table.update_batch(elements)
        except BpfError as error:
            if error.errno not in (errno.E2BIG, errno.ENOMEM):
                raise Unavailable(str(error)) from error

    def revoke(self) -> None:
        """Let none of them hold."""
        self._delete(list(self._until))

    def retire(self, path: int) -> None:
        """Let none of them hold that is about the path with this number, which another one gets."""
        self._delete([key for key in self._until if layout.path_of(key) == path])

    def followed(self) -> dict[int, int]:
        """How many requests have followed one, by label."""
        values = {label: self._counts.lookup(layout.number(label)) for label in self._labels}
        return {label: layout.total(value) for label, value in values.items() if value is not None}

    def _expire(self, now: float) -> None:
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
