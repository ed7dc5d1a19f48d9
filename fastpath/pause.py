"""Waiting until there may be something to take: a descriptor is readable, or somebody says so."""

from __future__ import annotations

import asyncio


class Pause:
    """The pause of one consumer; each of `descriptors` has to stay open as long as it may `wait`."""

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors
        self._waiting: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Wait until a descriptor is readable or `end` is called; returns also when there is nothing after all."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        # Only while waiting: a consumer that falls behind is not woken for what it has not taken yet.
        for descriptor in self._descriptors:
            loop.add_reader(descriptor, self.end)
        try:
            await self._waiting
        finally:
            self.end()

    def end(self) -> None:
        """End the pause, if there is one."""
        if self._waiting is None:
            return
        loop = asyncio.get_running_loop()
        for descriptor in self._descriptors:
            loop.remove_reader(descriptor)
        if not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None
