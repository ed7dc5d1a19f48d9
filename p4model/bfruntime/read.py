"""Read: what a request asks for, in one response."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.status import FailedParts, any_failed, failed, last_failed
from p4model.bfruntime.tables.base import ServedTable, View
from p4model.serving.status import RequestError
from p4model.state.errors import NotFound, NotSupported, StateError


class Reader:
    """Carries out Read requests."""

    def __init__(self, tables: Mapping[int, ServedTable]) -> None:
        self._tables = tables
        self._kinds: dict[str, Callable[[pb.Entity, pb.ReadRequest, pb.ReadResponse], None]] = {
            "table_entry": self._entry,
            "table_usage": self._usage,
            "table_attribute": self._attribute,
        }

    def read(self, request: pb.ReadRequest, *, statuses: bool = False) -> pb.ReadResponse:
        """All that is asked for.

        Raises RequestError if an operation is read, FailedParts if something was refused; with `statuses` the
        response tells that instead.
        """
        response = pb.ReadResponse()
        parts: list[pb.Error] = []
        for entity in request.entities:
            kind = entity.WhichOneof("entity")
            if kind == "table_operation":
                raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "operations cannot be read")
            try:
                if kind not in self._kinds:
                    raise NotSupported(f"{kind or 'an empty entity'}: cannot be read")
                self._kinds[kind](entity, request, response)
            except StateError as error:
                parts.append(failed(error))
            else:
                parts.append(pb.Error())
        if statuses:
            response.status.extend(parts)
        elif any_failed(parts):
            raise FailedParts(last_failed(parts))
        return response

    def _entry(self, entity: pb.Entity, request: pb.ReadRequest, response: pb.ReadResponse) -> None:
        entry = entity.table_entry
        own = entry.HasField("entry_tgt")
        target = entry.entry_tgt if own else request.target
        view = View(response, target.pipe_id, entry.table_flags.from_hw, target if own else None)
        self._table(entry.table_id).read(entry, view)

    def _usage(self, entity: pb.Entity, request: pb.ReadRequest, response: pb.ReadResponse) -> None:
        table = self._table(entity.table_usage.table_id)
        usage = table.usage()
        answer = response.entities.add().table_usage
        answer.table_id, answer.usage = table.id, usage

    def _attribute(self, entity: pb.Entity, request: pb.ReadRequest, response: pb.ReadResponse) -> None:
        asked = entity.table_attribute
        answer = pb.TableAttribute(table_id=asked.table_id)
        self._table(asked.table_id).get_attribute(asked, answer)
        response.entities.add().table_attribute.CopyFrom(answer)

    def _table(self, id_: int) -> ServedTable:
        try:
            return self._tables[id_]
        except KeyError:
            raise NotFound(f"there is no table of id {id_:#010x}") from None
