"""Notifications on their way from the server's stream to those who read them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

_T = TypeVar("_T")

CAPACITY = 1 << 16
"""Notifications that a Stream keeps for a slow reader."""


class Stream(Generic[_T]):
    """An asynchronous iterator over batches; it ends when the session is closed.

    It holds up to `capacity` notifications (and always one batch): what is more is dropped, newest first, and counted
    in `lost`.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.lost = 0
        self._capacity, self._held = capacity, 0
        self._batches: deque[list[_T]] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, batch: Sequence[_T]) -> None:
        """Hand a batch to the reader."""
        if self._held and self._held + len(batch) > self._capacity:
            self.lost += len(batch)
            return
        self._held += len(batch)
        self._batches.append(list(batch))
        self._changed.set()

    def close(self) -> None:
        """End the iteration once what is held has been read."""
        self._closed = True
        self._changed.set()

    def __aiter__(self) -> Stream[_T]:
        return self

    async def __anext__(self) -> list[_T]:
        while not self._batches:
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        batch = self._batches.popleft()
        self._held -= len(batch)
        return batch
