"""The sweep through l7lb_flows: splices that are idle, and ends whose report was lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from fastpath.ebpf import layout
from fastpath.ebpf.ledger import Ledger
from fastpath.ebpf.libbpf import Map
from fastpath.interface import Batch, Idle
from fastpath.records import Direction, Flow

_SLICE = 1024
"""Elements per step: about a millisecond of the loop's time."""
_BETWEEN_SLICES = 0.01
_LONGEST_PAUSE = 10.0
"""Seconds between slices, and at most between rounds."""
_SECOND = 1_000_000_000


class Sweep:
    """Looks at every splice, a slice at a time, and hands a Batch to `found` where there is something to say."""

    def __init__(self, flows: Map, ledger: Ledger, idle_after: float, found: Callable[[Batch], None]) -> None:
        self._flows, self._ledger, self._found = flows, ledger, found
        self._idle_after = int(idle_after * _SECOND)
        self._pause = min(idle_after / 4, _LONGEST_PAUSE)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            cursor: bytes | None = None
            while True:
                keys, values, cursor = self._flows.read_batch(_SLICE, cursor)
                batch = self._look(keys, values)
                if batch.idle or batch.closed:
                    self._found(batch)
                if cursor is None:
                    break
                await asyncio.sleep(_BETWEEN_SLICES)

    def _look(self, keys: bytes, values: bytes) -> Batch:
        batch, now = Batch(), time.monotonic_ns()
        for index, state in enumerate(layout.states(values)):
            is_idle = now - state.last_seen >= self._idle_after
            if state.direction == Direction.TO_SERVER and (is_idle or state.closing):
                flow = layout.flow(keys, index)
                batch.closed.extend(self._ledger.ended(flow, state.generation, state.closing))
                if is_idle:
                    batch.idle.extend(self._idle(flow, state, now))
        return batch

    def _idle(self, flow: Flow, state: layout.State, now: int) -> Iterator[Idle]:
        """The splice itself, unless its server has sent something meanwhile."""
        record = self._ledger.get(flow)
        if record is None or record.generation != state.generation:
            return
        toward_client = self._flows.lookup(layout.tuple4(record.replies))
        last_seen = state.last_seen
        if toward_client is not None:
            last_seen = max(last_seen, next(layout.states(toward_client)).last_seen)
        if now - last_seen >= self._idle_after:
            yield Idle(flow, (now - last_seen) / _SECOND)
