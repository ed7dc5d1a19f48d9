"""Tables whose entries are the indexes of an array: counters and registers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bfrt.errors import ProtocolError, SchemaError
from bfrt.schema import TableSchema
from bfrt.tables import Client, Entry, Table


class ArrayTable:
    """Every index exists from the beginning: there is nothing to insert or delete."""

    _TYPE: str
    _SYNCS: Sequence[str]
    """Names of the operation; servers differ."""

    def __init__(self, client: Client, schema: TableSchema) -> None:
        if schema.type != self._TYPE:
            raise SchemaError(f"{schema.name} is a table of type {schema.type}, not {self._TYPE}")
        self.schema = schema
        self._client = client
        self._table = Table(client, schema)

    @property
    def size(self) -> int:
        """The number of indexes."""
        return self.schema.size

    async def sync(self, *, timeout: float | None = None) -> None:
        """Bring the driver's cache up to date with the device."""
        operation = next((name for name in self._SYNCS if name in self.schema.operations), self._SYNCS[0])
        await self._table.operate(operation, timeout=timeout)

    async def clear(self) -> None:
        """Set every index to its initial value."""
        await self._table.clear()

    async def _entries(self, indexes: Iterable[int] | None, *, from_hw: bool, timeout: float | None) -> list[Entry]:
        """The entries of `indexes` in their order, or all in order."""
        if indexes is not None:
            return await self._table.get_many([(index,) for index in indexes], from_hw=from_hw, timeout=timeout)
        found = {entry.key: entry async for entry in self._table.entries(from_hw=from_hw, timeout=timeout)}
        missing = next((index for index in range(self.size) if (index,) not in found), None)
        if missing is not None:
            raise ProtocolError(f"{self.schema.name}: the server left out index {missing} of {self.size}")
        return [found[index,] for index in range(self.size)]
