"""Files that change while they are used."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

Signature: TypeAlias = tuple[int, int, int] | None
"""What tells one content from another: inode, size, time of modification; None for a file that is not there."""


def signature(path: Path) -> Signature:
    """That of the file which is at `path` now, behind symbolic links."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class Watch:
    """Says when a file is to be read again: it has changed, and kept still since, as its writer may not be done yet."""

    def __init__(self, known: Signature) -> None:
        """`known` is what has been read."""
        self._known = self._seen = known

    def look(self, now: Signature) -> bool:
        """Take what the file is like now; True if it is to be read."""
        settled = now == self._seen != self._known
        self._seen = now
        if settled:
            self._known = now
        return settled
