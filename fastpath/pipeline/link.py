"""The slow path's end of the CPU interface, as the fast path needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Link(Protocol):
    """The slow path's end of the CPU interface, as `fastpath.cpu_port.CpuPort` is one."""

    @property
    def send_failures(self) -> int:
        """Frames that found no room on their way out."""

    def fileno(self) -> int:
        """The descriptor to poll."""

    def receive(self, limit: int) -> list[bytes]:
        """Up to `limit` frames that have arrived, in order."""

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames in order."""

    def receive_failures(self) -> int:
        """Frames that arrived and were lost."""

    def close(self) -> None:
        """Close it."""
