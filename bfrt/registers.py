"""Register arrays. Each pipe has its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bfrt.arrays import ArrayTable
from bfrt.errors import ProtocolError, SchemaError
from bfrt.schema import Field, TableSchema
from bfrt.tables import Client, Entry
from bfrt.update import Update


class RegisterTable(ArrayTable):
    """An array of registers; one whose values are structs has several members."""

    _TYPE = "Register"
    _SYNCS = ("SyncRegisters", "Sync")

    def __init__(self, client: Client, schema: TableSchema) -> None:
        super().__init__(client, schema)
        self.members: tuple[Field, ...] = tuple(schema.data_by_id.values())

    async def read(
        self,
        indexes: Iterable[int] | None = None,
        *,
        member: str | None = None,
        from_hw: bool = True,
        timeout: float | None = None,
    ) -> list[tuple[int, ...]]:
        """The values of every pipe, per index in the order of `indexes`, or of all in order.

        `member` may be left out where there is one only. `from_hw` asks the device for each; many are had faster by
        `sync`, then a read without it. Raises SchemaError for an unknown or missing member.
        """
        name = self._member(member).name
        return [self._pipes(name, entry) for entry in await self._entries(indexes, from_hw=from_hw, timeout=timeout)]

    def set(self, index: int, values: Sequence[int]) -> Update:
        """An update that sets every member, in the order of `members`, in every pipe; raises SchemaError."""
        if len(values) != len(self.members):
            names = ", ".join(field.name for field in self.members)
            raise SchemaError(f"{self.schema.name} has {len(self.members)} members ({names}), not {len(values)}")
        fields = {field.name: value for field, value in zip(self.members, values, strict=True)}
        return self._table.insert((index,), fields=fields)

    def _member(self, name: str | None) -> Field:
        if name is not None:
            return self.schema.data.find(name)
        if len(self.members) != 1:
            raise SchemaError(f"{self.schema.name}: name one of {', '.join(field.name for field in self.members)}")
        return self.members[0]

    def _pipes(self, name: str, entry: Entry) -> tuple[int, ...]:
        value = entry.fields.get(name)
        values = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(each, int) for each in values):
            raise ProtocolError(f"{self.schema.name}: the value of {name} came in another type")
        return values
