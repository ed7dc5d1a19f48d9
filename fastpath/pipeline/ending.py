"""When a splice has ended, from the digests of its FINs and RSTs (docs/fastpath.md, On a switch)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastpath.records import Direction
from slowpath.wire import tcp

_BOTH = 1 << Direction.TO_SERVER | 1 << Direction.TO_CLIENT


@dataclass(slots=True)
class Ending:
    """What was seen of the end of a splice; digests of it may be lost or repeated."""

    _fins: int = 0
    """A bit by direction."""
    _closed: bool = False
    _reset: bool = False

    def note(self, direction: Direction, flags: int) -> Iterator[bool]:
        """A packet with these TCP flags passed; yields what is to be reported for the first time: a reset, or not."""
        if flags & tcp.FIN:
            self._fins |= 1 << direction
        if self._fins == _BOTH and not self._closed:
            self._closed = True
            yield False
        if flags & tcp.RST and not self._reset:
            self._reset = True
            yield True
