"""The precedents in l7lb_precedents, which this side alone writes, and takes out again."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from siphash24 import siphash24

from fastpath.ebpf import layout
from fastpath.ebpf.learned import Learned
from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.errors import Unavailable
from fastpath.records import Precedent

_SECOND = 1_000_000_000


class Precedents(Learned):
    """Those that hold, by path and head; heads are hashed with SipHash-2-4 and the 16 bytes of `key`."""

    def __init__(self, table: Map, counts: Map, key: bytes) -> None:
        super().__init__(table, counts, layout.MAX_PRECEDENTS)
        self._key = key

    def set(self, precedents: Iterable[tuple[int, Precedent]], now: int) -> None:
        """Add precedents with the numbers of their paths, or make them hold for longer; raises Unavailable.

        What holds no more at `now` (nanoseconds) is taken out; what finds no room is passed over.
        """
        self._expire(now)
        elements: dict[bytes, bytes] = {}
        for path, one in precedents:
            key = layout.precedent_key(siphash24(one.head, key=self._key).digest(), path)
            if self._has_room(key):
                until = int(one.until * _SECOND)
                self._note(key, until, one.label)
                elements[key] = layout.precedent(until, one.label)
        try:
            self._table.update_batch(elements)
        except BpfError as error:
            if error.errno not in (errno.E2BIG, errno.ENOMEM):
                raise Unavailable(str(error)) from error

    def retire(self, path: int) -> None:
        """Let none of them hold that is about the path with this number, which another one gets."""
        self._delete([key for key in self._until if layout.path_of(key) == path])
