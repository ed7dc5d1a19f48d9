"""Frames that wait for the address of a neighbour (RFC 1122 section 2.3.2.2)."""

from __future__ import annotations

from collections import deque

from fastpath.switch.network import Neighbour

_PER_NEIGHBOUR = 64
_NEIGHBOURS = 256


class Waiting:
    """The latest frames for each of a few neighbours; there is no room for more."""

    def __init__(self) -> None:
        self._frames: dict[Neighbour, deque[bytes]] = {}
        self.lost = 0
        """Frames that gave way to later ones or found no room."""

    def __bool__(self) -> bool:
        return bool(self._frames)

    def hold(self, neighbour: Neighbour, frame: bytes) -> None:
        """Keep `frame`; the oldest one gives way."""
        if neighbour not in self._frames and len(self._frames) >= _NEIGHBOURS:
            self.lost += 1
            return
        frames = self._frames.setdefault(neighbour, deque(maxlen=_PER_NEIGHBOUR))
        self.lost += len(frames) == _PER_NEIGHBOUR
        frames.append(frame)

    def neighbours(self) -> tuple[Neighbour, ...]:
        """Those that frames wait for."""
        return tuple(self._frames)

    def take(self, neighbour: Neighbour) -> deque[bytes]:
        """The frames for `neighbour`, oldest first, which wait no longer."""
        return self._frames.pop(neighbour, deque())
