"""Write: the updates of a request, in order, as many as can be."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from p4model.p4runtime.forwarding import Forwarding
from p4model.p4runtime.status import FailedUpdates, failed
from p4model.serving.status import RequestError
from p4model.state.errors import InvalidArgument, NotSupported, StateError
from p4rt.proto import p4runtime_pb2 as pb


class Writer:
    """Carries out Write requests on one program."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self._kinds: dict[str, Callable[[pb.Update], None]] = {
            "table_entry": self._table_entry,
            "counter_entry": self._counter_entry,
            "direct_counter_entry": self._direct_counter_entry,
            "digest_entry": self._digest_entry,
        }

    def write(self, request: pb.WriteRequest) -> None:
        """Carry out all updates; raises FailedUpdates if some were refused, RequestError if none is tried."""
        if request.atomicity != pb.WriteRequest.CONTINUE_ON_ERROR:
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "no batch is atomic; use CONTINUE_ON_ERROR")
        parts = [self._part(update) for update in request.updates]
        if any(part.canonical_code for part in parts):
            raise FailedUpdates(parts)

    def _part(self, update: pb.Update) -> pb.Error:
        kind = update.entity.WhichOneof("entity")
        try:
            if kind is None:
                raise InvalidArgument("the update has no entity")
            if kind not in self._kinds:
                raise NotSupported(f"{kind}: cannot be written")
            if update.type == pb.Update.UNSPECIFIED:
                raise InvalidArgument("the update has no type")
            self._kinds[kind](update)
        except StateError as error:
            return failed(error)
        return pb.Error()

    def _table_entry(self, update: pb.Update) -> None:
        entry = update.entity.table_entry
        table = self._forwarding.table(entry.table_id)
        writers = {pb.Update.INSERT: table.insert, pb.Update.MODIFY: table.modify, pb.Update.DELETE: table.delete}
        writers[update.type](entry)

    def _counter_entry(self, update: pb.Update) -> None:
        entry = update.entity.counter_entry
        counter = self._forwarding.counter(entry.counter_id)
        _require_modify(update)
        counter.write(entry)

    def _direct_counter_entry(self, update: pb.Update) -> None:
        entry = update.entity.direct_counter_entry
        table = self._forwarding.table(entry.table_entry.table_id)
        _require_modify(update)
        table.write_counter(entry)

    def _digest_entry(self, update: pb.Update) -> None:
        entry = update.entity.digest_entry
        digest = self._forwarding.digest(entry.digest_id)
        writers = {pb.Update.INSERT: digest.insert, pb.Update.MODIFY: digest.modify, pb.Update.DELETE: digest.delete}
        writers[update.type](entry)


def _require_modify(update: pb.Update) -> None:
    if update.type != pb.Update.MODIFY:
        raise InvalidArgument("counters are always there: they can only be modified")
