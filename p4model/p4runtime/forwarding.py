"""A program in a device, with all that P4Runtime shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from p4model.device import Device
from p4model.p4runtime.counters import ServedCounter
from p4model.p4runtime.digests import Learning, Send, ServedDigest
from p4model.p4runtime.schema import Schema
from p4model.p4runtime.tables import Clock, ServedTable
from p4model.state.errors import InvalidArgument, NotFound
from p4rt.proto import p4runtime_pb2 as pb

_T = TypeVar("_T")


class Forwarding:
    """The objects of one device, by id."""

    def __init__(self, device: Device, config: pb.ForwardingPipelineConfig, clock: Clock, send: Send) -> None:
        self.device = device
        self.config = config
        schema = Schema.of(device.info)
        state = device.state
        self.tables = {schema.tables[name]: ServedTable(schema, table, clock) for name, table in state.tables.items()}
        self.counters = {
            id_: ServedCounter(id_, counter)
            for name, counter in state.counters.items()
            for id_ in (schema.counters[name],)
        }
        self.digests = {id_: ServedDigest(id_, name, send) for name, id_ in schema.digests.items()}
        self._learning = Learning((name, self.digests[id_]) for name, id_ in schema.digests.items())
        device.listen(self._learning.hear)

    def table(self, id_: int) -> ServedTable:
        """The table of an id; raises InvalidArgument."""
        return _known("table", self.tables, id_)

    def counter(self, id_: int) -> ServedCounter:
        """The indirect counter of an id; raises InvalidArgument."""
        return _known("counter", self.counters, id_)

    def digest(self, id_: int) -> ServedDigest:
        """The digest of an id; raises NotFound."""
        try:
            return self.digests[id_]
        except KeyError:
            raise NotFound(f"there is no digest of id {id_:#010x}") from None

    def close(self) -> None:
        """Hear no more digests, and send none of those that were heard."""
        self.device.ignore(self._learning.hear)
        for digest in self.digests.values():
            digest.close()


def _known(kind: str, objects: Mapping[int, _T], id_: int) -> _T:
    try:
        return objects[id_]
    except KeyError:
        raise InvalidArgument(f"there is no {kind} of id {id_:#010x}") from None
