"""Request heads that have come before: clients ask again in the same words, and many of them in the same."""

from __future__ import annotations

from typing import Final

from slowpath.http.head import HeadReader, RequestHead

LONGEST: Final = 1024
"""Bytes of a head that is kept."""
MOST: Final = 512
"""Heads that are kept: with what they were read as, 2 MiB at most."""
_MARKS: Final = 8192


class KnownHeads:
    """What was read of whole heads, within the limits of `reader`, for those that came a second time.

    One that comes only once leaves no more than its hash, so that heads which differ each time take no room.
    """

    def __init__(self, limit: int, header_count: int, target_limit: int) -> None:
        """As HeadReader."""
        self._limit, self._header_count, self._target_limit = limit, header_count, target_limit
        self._heads: dict[bytes, RequestHead] = {}
        self._marks: set[int] = set()
        """Hashes of heads that have come at least once."""

    def reader(self) -> HeadReader:
        """A reader of one head."""
        return HeadReader(self._limit, header_count=self._header_count, target_limit=self._target_limit)

    def get(self, data: bytes) -> RequestHead | None:
        """What a new reader would return for `data`, if that is known."""
        return self._heads.get(data)

    def note(self, data: bytes, head: RequestHead) -> None:
        """A new reader has returned `head` for `data`."""
        if head.length != len(data) or len(data) > LONGEST:
            return
        mark = hash(data)
        if mark not in self._marks:
            if len(self._marks) >= _MARKS:
                self._marks.clear()
            self._marks.add(mark)
            return
        if len(self._heads) >= MOST:
            self._heads.clear()
        self._heads[data] = head
