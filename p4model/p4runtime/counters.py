"""Indirect counters as P4Runtime serves them."""

from __future__ import annotations

from p4model.p4runtime.status import OutOfRange
from p4model.p4runtime.tables import counter_data
from p4model.state.errors import InvalidArgument, NotSupported
from p4model.state.indexed import IndexedCounter
from p4rt.proto import p4runtime_pb2 as pb


class ServedCounter:
    """One array of counters. Every method raises StateError for what it refuses."""

    def __init__(self, id_: int, counter: IndexedCounter) -> None:
        self.id = id_
        self._counter = counter
        self._name = counter.info.name

    def write(self, entry: pb.CounterEntry) -> None:
        """Set the counts at an index; nothing happens without data."""
        if not entry.HasField("index"):
            raise NotSupported(f"{self._name}: counts are set one by one, give an index")
        index = self._index(entry)
        if entry.HasField("data"):
            self._counter.write(index, entry.data.packet_count, entry.data.byte_count)

    def read(self, wanted: pb.CounterEntry, response: pb.ReadResponse) -> None:
        """Add the counts at an index, or all of them."""
        info = self._counter.info
        for index in (self._index(wanted),) if wanted.HasField("index") else range(info.size):
            answer = response.entities.add().counter_entry
            answer.counter_id, answer.index.index = self.id, index
            answer.data.CopyFrom(counter_data(info.counts, *self._counter.read(index, from_hardware=True)))

    def _index(self, entry: pb.CounterEntry) -> int:
        index = entry.index.index
        if index < 0:
            raise InvalidArgument(f"{self._name}: the index {index} is negative")
        if index >= self._counter.info.size:
            raise OutOfRange(f"{self._name}: index {index} is not below its size, {self._counter.info.size}")
        return index
