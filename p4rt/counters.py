"""Indirect counters."""

from __future__ import annotations

from collections.abc import Sequence

from p4rt import update
from p4rt.errors import ProtocolError
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import CounterSchema
from p4rt.tables import Client
from rpc.values import Count

_BATCH = 1024
"""Indexes that are set in one Write."""


class CounterTable:
    """An array of counters; every index exists from the beginning."""

    def __init__(self, client: Client, schema: CounterSchema) -> None:
        self.schema = schema
        self._client = client

    @property
    def size(self) -> int:
        """The number of indexes."""
        return self.schema.size

    async def read(self, indexes: Sequence[int] | None = None, *, timeout: float | None = None) -> list[Count]:
        """Counters in the order of `indexes`, or all in order."""
        id_ = self.schema.id
        wanted = range(self.size) if indexes is None else indexes
        entries = (
            [pb.CounterEntry(counter_id=id_)]
            if indexes is None
            else [pb.CounterEntry(counter_id=id_, index=pb.Index(index=index)) for index in indexes]
        )
        entities = [pb.Entity(counter_entry=entry) for entry in entries]
        found: dict[int, Count] = {}
        for entity in await self._client.read(self.schema.name, entities, timeout=timeout) if entities else ():
            entry = entity.counter_entry
            found[entry.index.index] = Count(entry.data.packet_count, entry.data.byte_count)
        try:
            return [found[index] for index in wanted]
        except KeyError as error:
            raise ProtocolError(f"{self.schema.name}: the server left out index {error} of {self.size}") from None

    async def clear(self, *, timeout: float | None = None) -> None:
        """Set every index to 0; not all at once, for servers do not take that."""
        for start in range(0, self.size, _BATCH):
            zeros = [self._zero(index) for index in range(start, min(start + _BATCH, self.size))]
            await self._client.write(zeros, atomic=False, timeout=timeout)

    def _zero(self, index: int) -> update.Update:
        entry = pb.CounterEntry(counter_id=self.schema.id, index=pb.Index(index=index), data=pb.CounterData())
        return update.of(self.schema, pb.Update.MODIFY, pb.Entity(counter_entry=entry))
