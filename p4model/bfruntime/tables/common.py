"""Data fields that entries have whatever their action: direct counters and the idle time-out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime import fields
from p4model.bfruntime.codec import decode
from p4model.objects import Counts, TableInfo
from p4model.state.aging import Mode
from p4model.state.errors import InvalidArgument
from p4model.state.record import Record


@dataclass(slots=True)
class Common:
    """Values that an update gives; None where it gives none."""

    packets: int | None = None
    octets: int | None = None
    ttl: int | None = None


class CountFields:
    """$COUNTER_SPEC_PKTS and $COUNTER_SPEC_BYTES, of direct and of indirect counters."""

    def __init__(self, owner: str, counts: Counts | None) -> None:
        self._owner = owner
        self.packets = counts in (Counts.PACKETS, Counts.PACKETS_AND_BYTES)
        self.octets = counts in (Counts.BYTES, Counts.PACKETS_AND_BYTES)

    def decode(self, field: pb.DataField, into: Common) -> bool:
        """Take a field over if it is one of these; raises InvalidArgument for a wrong length."""
        if field.field_id == fields.COUNTER_PACKETS.id and self.packets:
            into.packets = decode(f"{self._owner}: {fields.COUNTER_PACKETS.name}", 64, field.stream)
        elif field.field_id == fields.COUNTER_BYTES.id and self.octets:
            into.octets = decode(f"{self._owner}: {fields.COUNTER_BYTES.name}", 64, field.stream)
        else:
            return False
        return True

    def encode(self, packets: int, octets: int, data: pb.TableData, wanted: frozenset[int]) -> None:
        """Write the counts that are there and wanted."""
        for id_, stream in self.streams(packets, octets, wanted):
            field = data.fields.add()
            field.field_id, field.stream = id_, stream

    def streams(self, packets: int, octets: int, wanted: frozenset[int]) -> list[tuple[int, bytes]]:
        """The counts that are there and wanted, by field id."""
        counts = (
            (self.octets, fields.COUNTER_BYTES.id, octets),
            (self.packets, fields.COUNTER_PACKETS.id, packets),
        )
        return [(id_, value.to_bytes(8)) for there, id_, value in counts if there and (not wanted or id_ in wanted)]


class CommonFields:
    """The fields that a match-action table has besides those of its actions; false if there are none."""

    def __init__(self, info: TableInfo) -> None:
        self._owner = info.name
        self._counts = CountFields(info.name, info.direct_counter)
        self._counted = info.direct_counter is not None
        self.idle = info.idle_timeout

    def __bool__(self) -> bool:
        return self._counted or self.idle

    def split(self, given: Iterable[pb.DataField]) -> tuple[list[pb.DataField], Common]:
        """The fields of the action, and the values of the common ones; raises InvalidArgument."""
        own, common = [], Common()
        for field in given:
            if self._counts.decode(field, common):
                continue
            if self.idle and field.field_id == fields.ENTRY_TTL.id:
                common.ttl = decode(f"{self._owner}: {fields.ENTRY_TTL.name}", 32, field.stream)
            elif self.idle and field.field_id == fields.ENTRY_HIT_STATE.id:
                raise InvalidArgument(f"{self._owner}: {fields.ENTRY_HIT_STATE.name} can only be read")
            else:
                own.append(field)
        return own, common

    def add_counts(self, data: pb.TableData, counts: tuple[int, int], wanted: frozenset[int]) -> None:
        """Write the direct counter: packets and bytes."""
        self._counts.encode(*counts, data, wanted)

    def add_idle(self, data: pb.TableData, record: Record, mode: Mode, wanted: frozenset[int]) -> None:
        """Write what the mode lets one see: the remaining time to live, or whether packets have matched."""
        id_ = (fields.ENTRY_TTL if mode is Mode.NOTIFY else fields.ENTRY_HIT_STATE).id
        if wanted and id_ not in wanted:
            return
        field = data.fields.add()
        field.field_id = id_
        if mode is Mode.NOTIFY:
            field.stream = record.remaining.to_bytes(4)
        else:
            field.str_val = "ENTRY_ACTIVE" if record.active else "ENTRY_IDLE"
