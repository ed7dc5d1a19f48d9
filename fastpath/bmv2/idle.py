"""Idle splices, by the idle timeouts of their entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import p4rt
from fastpath.interface import Idle
from fastpath.pipeline.driver import IdleReports
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.records import Record
from fastpath.pipeline.rows import Key
from fastpath.pipeline.session_driver import plain_key
from p4rt import P4rtError, Stream, Table

_RECORDS = 256
"""Splices whose entries are read in one go."""
_SLACK = 0.01
"""Seconds: servers keep time in whole milliseconds."""


class IdleWatch:
    """Reports splices none of whose entries has matched a packet for `idle_after` seconds.

    A notification names one entry, and an override has two: it is the sign to ask when each was last used. The server
    notifies again for as long as an entry is idle (P4Runtime, "Table Idle Timeout Notification"), so that one that is
    lost does no harm, and a splice that stays is reported again.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        notifications: Stream[p4rt.Idle],
        ledger: Ledger,
        idle_after: float,
        found: IdleReports,
    ) -> None:
        """`tables` are those of records, by the names that rows have."""
        self._tables, self._notifications = tables, notifications
        self._names = {table.name: name for name, table in tables.items()}
        self._ledger, self._found = ledger, found
        self._idle_after = idle_after - _SLACK

    def restart(self) -> None:
        """Nothing to do: the switch measures from the last packet or, where it lost an entry, from its insertion."""

    async def run(self) -> None:
        """Look at what the server names until cancelled."""
        async for notifications in self._notifications:
            keys = [
                (self._names[idle.table], plain_key(idle.key)) for idle in notifications if idle.table in self._names
            ]
            records = [*dict.fromkeys(record for key in keys if (record := self._ledger.find(key)) is not None)]
            # Without a connection there is nothing to learn: the server notifies again.
            with suppress(P4rtError):
                for start in range(0, len(records), _RECORDS):
                    await self._look(records[start : start + _RECORDS])

    async def _look(self, records: Sequence[Record]) -> None:
        """Report those of `records` that are idle; raises P4rtError."""
        entries = {record: [key for key, _ in record.rows()] for record in records}
        elapsed: dict[Key, float] = {}
        for name, table in self._tables.items():
            keys = [values for of_record in entries.values() for of, values in of_record if of == name]
            for entry in await table.get_many(keys, idle_for=True):
                if entry.idle_for is not None:
                    elapsed[name, plain_key(entry.key)] = entry.idle_for
        idle = [report for record, keys in entries.items() for report in self._judge(record, keys, elapsed)]
        if idle:
            self._found(idle)

    def _judge(self, record: Record, keys: Sequence[Key], elapsed: Mapping[Key, float]) -> list[Idle]:
        """A report if no entry of `record`, which are `keys`, has matched a packet for too long."""
        flow = record.splice.flow
        if self._ledger.get(flow) is not record or not elapsed.keys() >= set(keys):
            return []
        unused = min(elapsed[key] for key in keys)
        return [Idle(flow, unused)] if unused >= self._idle_after else []
