"""A CPU interface without a switch behind it."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Sequence


class SilentLink:
    """A CPU interface on which arrives what `deliver` is given, and nothing else."""

    send_failures = 0

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()
        self._arrived: deque[bytes] = deque()

    def deliver(self, frames: Iterable[bytes]) -> None:
        """Have the fast path find `frames` at its next look."""
        self._arrived.extend(frames)

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, limit: int) -> list[bytes]:
        return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]

    def send(self, frames: Sequence[bytes]) -> None:
        """Nobody listens."""

    def receive_failures(self) -> int:
        return 0

    def close(self) -> None:
        self._socket.close()
        self._other.close()
