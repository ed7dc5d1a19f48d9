"""Indirect counters."""

from __future__ import annotations

from collections.abc import Iterable

from bfrt.arrays import ArrayTable
from bfrt.errors import ProtocolError
from bfrt.tables import Entry
from rpc.values import Count

_PACKETS, _BYTES = "$COUNTER_SPEC_PKTS", "$COUNTER_SPEC_BYTES"


class CounterTable(ArrayTable):
    """An array of counters."""

    _TYPE = "Counter"
    _SYNCS = ("Sync", "SyncCounters")

    async def read(
        self, indexes: Iterable[int] | None = None, *, from_hw: bool = True, timeout: float | None = None
    ) -> list[Count]:
        """Counters in the order of `indexes`, or all in order; sums over all pipes.

        `from_hw` asks the device for each; many are had faster by `sync`, then a read without it.
        """
        return [self._count(entry) for entry in await self._entries(indexes, from_hw=from_hw, timeout=timeout)]

    def _count(self, entry: Entry) -> Count:
        packets, size = entry.fields.get(_PACKETS, 0), entry.fields.get(_BYTES, 0)
        if not isinstance(packets, int) or not isinstance(size, int):
            raise ProtocolError(f"{self.schema.name}: counts came several times")
        return Count(packets, size)
