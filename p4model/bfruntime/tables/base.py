"""What all served tables have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client
from p4model.state.errors import InvalidArgument, NotSupported
from p4model.state.record import Record

ALL_PIPES = 0xFFFF


class Note(IntEnum):
    """What a successful update tells about itself, in the driver's numbers of gRPC codes."""

    NONE = 0
    WAS_ABSENT = 5
    WAS_PRESENT = 6


@dataclass(slots=True)
class Journal:
    """What the updates of one request leave behind: how to undo them, and what the last one has to tell."""

    undo: list[Callable[[], object]] = field(default_factory=list)
    note: Note = Note.NONE
    ignore_not_found: bool = False
    """Whether deleting an absent entry is a success."""

    def roll_back(self) -> None:
        """Undo all, latest first."""
        while self.undo:
            self.undo.pop()()


@dataclass(frozen=True, slots=True)
class View:
    """How entries are read, and where to."""

    response: pb.ReadResponse
    pipe: int = ALL_PIPES
    from_hardware: bool = False
    target: pb.TargetDevice | None = None
    """To be named in each entry."""

    def add(self, table_id: int) -> pb.TableEntry:
        """A new entry of the response."""
        return self._prepared(self.response.entities.add(), table_id).table_entry

    def blank(self, table_id: int) -> pb.Entity:
        """A new entry that is not in the response."""
        return self._prepared(pb.Entity(), table_id)

    def _prepared(self, entity: pb.Entity, table_id: int) -> pb.Entity:
        entity.table_entry.table_id = table_id
        if self.target is not None:
            entity.table_entry.entry_tgt.CopyFrom(self.target)
        return entity

    def counts_of(self, record: Record) -> tuple[int, int]:
        """Packets and bytes of an entry, in the pipes that are asked for: the program's one state is that of pipe 0."""
        if self.pipe not in (0, ALL_PIPES):
            return 0, 0
        return (record.packets, record.octets) if self.from_hardware else record.counted


Writer = Callable[[pb.TableEntry, Journal], None]


class ServedTable:
    """A table of the service. What it does not do is NotSupported."""

    transactional = True
    """Whether updates can be rolled back."""
    symmetric = True
    """Whether updates have to address all pipes."""

    def __init__(self, id_: int, name: str) -> None:
        self.id = id_
        self.name = name
        self.writers: Mapping[int, Writer] = {}
        """By type of update."""
        self.operations: Mapping[str, Callable[[], None]] = {}

    def write(self, kind: int, entry: pb.TableEntry, journal: Journal) -> None:
        """Carry out one update; raises StateError."""
        writer = self.writers.get(kind)
        if writer is None:
            if kind == pb.Update.UNSPECIFIED:
                raise InvalidArgument(f"{self.name}: the update has no type")
            raise NotSupported(
                f"{self.name}: cannot be updated by {pb.Update.Type.Name(pb.Update.Type.ValueType(kind))}"
            )
        writer(entry, journal)

    def read(self, entry: pb.TableEntry, view: View) -> None:
        """Add what `entry` asks for to the response; raises StateError."""
        raise NotSupported(f"{self.name}: cannot be read")

    def usage(self) -> int:
        """How many entries there are; raises NotSupported."""
        raise NotSupported(f"{self.name}: has no usage")

    def operate(self, operation: str) -> None:
        """Carry out an operation; raises NotSupported."""
        try:
            operate = self.operations[operation]
        except KeyError:
            known = ", ".join(self.operations) or "none"
            raise NotSupported(f"{self.name}: has no operation {operation!r} (it has {known})") from None
        operate()

    def set_attribute(self, attribute: pb.TableAttribute, client: Client | None) -> None:
        """Set an attribute on behalf of a client, None for one without a stream; raises StateError."""
        raise NotSupported(f"{self.name}: has no attribute {attribute.WhichOneof('attribute')} to set")

    def get_attribute(self, attribute: pb.TableAttribute, answer: pb.TableAttribute) -> None:
        """Write the attribute that is asked for into `answer`; raises NotSupported."""
        raise NotSupported(f"{self.name}: has no attribute {attribute.WhichOneof('attribute')} to read")


def wanted_fields(data: pb.TableData) -> frozenset[int]:
    """The ids that a read asks for; none for all of them."""
    return frozenset(field.field_id for field in data.fields)


def by_id(tables: Iterable[ServedTable]) -> dict[int, ServedTable]:
    """Tables by their ids."""
    return {table.id: table for table in tables}
