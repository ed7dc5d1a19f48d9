"""Waiting until there may be something to take: a descriptor is readable, or somebody says so."""

from __future__ import annotations

import asyncio

_PATIENCE = 16
"""How often in a row a consumer may be found busy with what it took, before it is not told any more."""


class Pause:
    """The pauses of one consumer; each of `descriptors` has to stay open until `close`."""

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors
        self._waiting: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """That which tells when a descriptor is readable, if one does."""
        self._missed = 0
        self._closed = False

    async def wait(self) -> None:
        """Wait until a descriptor is readable or `end` is called; returns also when there is nothing after all.

        After `close` it returns at once.
        """
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        self._missed = 0
        # From one pause to the next: to ask anew takes more system calls than all else that a lone packet needs.
        if self._loop is None:
            for descriptor in self._descriptors:
                loop.add_reader(descriptor, self._readable)
            self._loop = loop
        self._waiting = loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def end(self) -> None:
        """End the pause, if there is one."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def close(self) -> None:
        """End the pause, and have no others; idempotent."""
        self._closed = True
        self._leave()
        self.end()

    def _readable(self) -> None:
        if self._waiting is not None:
            self.end()
            return
        # A consumer that falls far behind is not woken for what it has not taken yet: the loop would never rest.
        self._missed += 1
        if self._missed == _PATIENCE:
            self._leave()

    def _leave(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            for descriptor in self._descriptors:
                self._loop.remove_reader(descriptor)
        self._loop = None
