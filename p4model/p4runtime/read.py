"""Read: what a request asks for, in one response."""

from __future__ import annotations

from collections.abc import Callable

from p4model.p4runtime.forwarding import Forwarding
from p4model.p4runtime.status import status_code
from p4model.serving.status import RequestError
from p4model.state.errors import InvalidArgument, NotSupported, StateError
from p4rt.proto import p4runtime_pb2 as pb


class Reader:
    """Carries out Read requests on one program."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self._kinds: dict[str, Callable[[pb.Entity, pb.ReadResponse], None]] = {
            "table_entry": self._table_entry,
            "counter_entry": self._counter_entry,
            "direct_counter_entry": self._direct_counter_entry,
            "digest_entry": self._digest_entry,
        }

    def read(self, request: pb.ReadRequest) -> pb.ReadResponse:
        """All that is asked for; raises RequestError."""
        response = pb.ReadResponse()
        try:
            for entity in request.entities:
                kind = entity.WhichOneof("entity")
                if kind is None:
                    raise InvalidArgument("an entity is empty")
                if kind not in self._kinds:
                    raise NotSupported(f"{kind}: cannot be read")
                self._kinds[kind](entity, response)
        except StateError as error:
            raise RequestError(status_code(error), str(error)) from error
        return response

    def _table_entry(self, entity: pb.Entity, response: pb.ReadResponse) -> None:
        wanted = entity.table_entry
        if wanted.table_id:
            self._forwarding.table(wanted.table_id).read(wanted, response)
            return
        if wanted.match or wanted.priority or wanted.action.action.action_id or wanted.metadata:
            raise InvalidArgument("entries of all tables are read, and filtered by what only those of one table have")
        for table in self._forwarding.tables.values():
            table.read(wanted, response)

    def _counter_entry(self, entity: pb.Entity, response: pb.ReadResponse) -> None:
        wanted = entity.counter_entry
        if wanted.counter_id:
            self._forwarding.counter(wanted.counter_id).read(wanted, response)
            return
        for counter in self._forwarding.counters.values():
            counter.read(wanted, response)

    def _direct_counter_entry(self, entity: pb.Entity, response: pb.ReadResponse) -> None:
        wanted = entity.direct_counter_entry.table_entry
        if not wanted.table_id:
            raise NotSupported("direct counters are read table by table")
        self._forwarding.table(wanted.table_id).read_counters(wanted, response)

    def _digest_entry(self, entity: pb.Entity, response: pb.ReadResponse) -> None:
        id_ = entity.digest_entry.digest_id
        if not id_:
            raise NotSupported("digests are read one by one")
        response.entities.add().digest_entry.CopyFrom(self._forwarding.digest(id_).configuration())
