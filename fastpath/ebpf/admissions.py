"""The admissions in l7lb_admissions, and the paths that they name, which stay for as long as connections may need them.

This side writes admissions, and takes them out again; the program takes out those that have failed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from siphash24 import siphash24

from fastpath.ebpf import layout
from fastpath.ebpf.learned import Learned
from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.ebpf.paths import Path, Paths
from fastpath.errors import TableFull, Unavailable
from fastpath.records import ADMISSION_HEADS, MAX_TURNS, Admission
from slowpath.wire.ip import IPV4

PATHS_STAY = 10_000_000_000
"""Nanoseconds for which the paths of an admission stay when it is over, for connections that it has let in."""
_SECOND = 1_000_000_000
_NO_ROOM = frozenset({errno.E2BIG, errno.ENOMEM})


class Admissions(Learned):
    """Those that hold, by VIP and head; heads are hashed with SipHash-2-4 and the 16 bytes of `key`.

    `in_use` tells which paths the connections have, by number, that the program has let in and keeps.
    """

    def __init__(
        self, table: Map, counts: Map, key: bytes, paths: Paths, in_use: Callable[[], AbstractSet[int]]
    ) -> None:
        super().__init__(table, counts, layout.MAX_ADMISSIONS)
        self._key, self._paths, self._in_use = key, paths, in_use
        self._pinned: dict[int, int] = {}
        """By number of a path, until when an admission names it."""

    def set(self, admissions: Iterable[Admission], now: int) -> None:
        """Add or replace admissions; raises Unavailable. `now` in nanoseconds.

        What holds no more is taken out; what finds no room, or is not of IPv4, is passed over.
        """
        self._expire(now)
        for one in admissions:
            key = _key_of(one, self._key)
            if key is None or not self._has_room(key):
                continue
            try:
                paths = [self._paths.wanted(one.vip, server, number, now) for server, number in one.servers]
            except TableFull:
                continue
            self._write(key, one, paths)

    def _write(self, key: bytes, one: Admission, paths: Sequence[Path]) -> None:
        until = int(one.until * _SECOND)
        for path in paths:
            if path.number not in self._pinned:
                path.users += 1
            self._pinned[path.number] = max(until, self._pinned.get(path.number, 0))
        before = self._table.lookup(key)
        turn = 0 if before is None else layout.turn(before)
        try:
            self._table.update(key, layout.admission(one, until, [path.number for path in paths], turn))
        except BpfError as error:
            if error.errno not in _NO_ROOM:
                raise Unavailable(str(error)) from error
            return
        self._note(key, until, one.label)

    def _expire(self, now: int) -> None:
        super()._expire(now)
        unpinned = [number for number, until in self._pinned.items() if now - until >= PATHS_STAY]
        if unpinned:
            in_use = self._in_use()
            for number in unpinned:
                if number not in in_use:
                    del self._pinned[number]
                    self._paths.release(number, now)


def _key_of(one: Admission, key: bytes) -> bytes | None:
    """What the program knows an admission by; None if it knows none like this."""
    addresses = [one.vip.address, *(server.address for server, _ in one.servers)]
    if any(len(address) != IPV4.address_length for address in addresses):
        return None
    if len(one.head) not in ADMISSION_HEADS or not 0 < len(one.servers) <= MAX_TURNS:
        return None
    return layout.admission_key(siphash24(one.head, key=key).digest(), one.vip)
