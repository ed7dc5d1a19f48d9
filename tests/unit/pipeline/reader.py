"""Somebody who reads what a fast path tells."""

from __future__ import annotations

import asyncio

from fastpath.interface import Batch
from fastpath.pipeline.fastpath import PipelineFastPath


class Reader:
    """Somebody who reads events all the time, as the slow path does."""

    def __init__(self, fastpath: PipelineFastPath) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(fastpath))

    async def _read(self, fastpath: PipelineFastPath) -> None:
        async for batch in fastpath.events():
            self.batches.put_nowait(batch)

    async def next(self) -> Batch:
        return await asyncio.wait_for(self.batches.get(), 10)
