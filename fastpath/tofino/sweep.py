"""The sweep through the `seen` bits: which splices are in use, and which are idle."""

from __future__ import annotations

import asyncio
import time
from array import array

import bfrt
from bfrt import RegisterTable, Session
from fastpath.interface import Idle
from fastpath.pipeline.driver import IdleReports
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.records import Record

_WORDS = 256
"""Registers in one request: bits that are set between it and the next, which clears them, are lost."""
_RECORDS = 1024
"""Splices looked at in one go: about a millisecond of the loop's time."""
_ROUNDS = 4
"""Sweeps in the time after which a splice is idle."""
_WORD_BITS = 32


class Sweep:
    """Reports splices that no sweep has seen in use for `idle_after` seconds, in every sweep until they are.

    Two splices may share a bit: then one in use keeps the other.
    """

    def __init__(
        self,
        session: Session,
        seen: RegisterTable,
        ledger: Ledger,
        idle_after: float,
        found: IdleReports,
    ) -> None:
        self._session, self._seen, self._ledger, self._found = session, seen, ledger, found
        self._idle_after = idle_after
        self._begun = time.monotonic()
        self._bits = array("L", bytes(array("L").itemsize * seen.size))

    def restart(self) -> None:
        """The bits may be lost: take every splice as just seen."""
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Sweep until cancelled; without a connection, later."""
        while True:
            await asyncio.sleep(self._idle_after / _ROUNDS)
            try:
                await self.sweep()
            except bfrt.BfrtError:
                # The session reports it; the bits that were read are lost.
                self.restart()

    async def sweep(self) -> None:
        """Look at all bits and all splices once; raises BfrtError."""
        for start in range(0, self._seen.size, _WORDS):
            await self._collect(range(start, min(start + _WORDS, self._seen.size)))
        now = time.monotonic()
        records = [*self._ledger]
        for start in range(0, len(records), _RECORDS):
            idle = [report for record in records[start : start + _RECORDS] for report in self._look(record, now)]
            if idle:
                self._found(idle)
            await asyncio.sleep(0)

    async def _collect(self, indexes: range) -> None:
        """Read these words, and clear those in which a bit is set."""
        used = []
        for index, pipes in zip(indexes, await self._seen.read(indexes), strict=True):
            word = 0
            for value in pipes:
                word |= value
            self._bits[index] = word
            if word:
                used.append(self._seen.set(index, (0,)))
        await self._session.write(used, atomic=False)

    def _look(self, record: Record, now: float) -> list[Idle]:
        if any(self._is_set(number) for number in record.hashes):
            record.last_seen = now
            return []
        idle = now - max(record.last_seen, self._begun)
        flow = record.splice.flow
        return [Idle(flow, idle)] if idle >= self._idle_after and self._ledger.get(flow) is record else []

    def _is_set(self, number: int) -> bool:
        word, bit = divmod(number % (self._seen.size * _WORD_BITS), _WORD_BITS)
        return bool(self._bits[word] >> bit & 1)
