"""Write: the updates of a request, in order, all or as many as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client
from p4model.bfruntime.status import FailedParts, any_failed, cut, failed, last_failed, noted
from p4model.bfruntime.tables.base import ALL_PIPES, Journal, Note, ServedTable
from p4model.serving.status import RequestError
from p4model.state.errors import InvalidArgument, NotFound, NotSupported, StateError


@dataclass(frozen=True, slots=True)
class Options:
    """What the metadata of a call ask for."""

    ignore_not_found: bool = False
    expired: Callable[[], bool] | None = None
    """Whether the deadline has passed; None if there is none."""


class Writer:
    """Carries out Write requests."""

    def __init__(self, tables: Mapping[int, ServedTable]) -> None:
        self._tables = tables
        self._kinds: dict[str, Callable[[pb.Update, pb.WriteRequest, Client | None], None]] = {
            "table_operation": self._operate,
            "table_attribute": self._set_attribute,
        }

    def write(self, request: pb.WriteRequest, client: Client | None, options: Options) -> pb.WriteResponse:
        """Carry out all updates.

        Raises FailedParts if some were refused: with ROLLBACK_ON_ERROR nothing has changed then, with
        CONTINUE_ON_ERROR the others have taken place. Raises RequestError for any other atomicity, or past the
        deadline.
        """
        if request.atomicity == pb.WriteRequest.ROLLBACK_ON_ERROR:
            atomic = True
        elif request.atomicity == pb.WriteRequest.CONTINUE_ON_ERROR:
            atomic = False
        else:
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "the data plane has no atomic writes")
        journal = Journal(ignore_not_found=options.ignore_not_found)
        parts: list[pb.Error] = []
        told = False
        for update in request.updates:
            if options.expired is not None and options.expired():
                if atomic:
                    journal.roll_back()
                raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline has passed")
            journal.note = Note.NONE
            try:
                self._apply(update, request, client, journal, atomic)
            except StateError as error:
                parts.append(failed(error))
                told = True
                if atomic:
                    journal.roll_back()
                    break
            else:
                parts.append(_SUCCESS if journal.note is Note.NONE else noted(journal.note))
                told = told or journal.note is not Note.NONE
        if not told:
            return pb.WriteResponse()
        if any_failed(parts):
            raise FailedParts(last_failed(parts))
        return pb.WriteResponse(status=cut(parts))

    def _apply(
        self, update: pb.Update, request: pb.WriteRequest, client: Client | None, journal: Journal, atomic: bool
    ) -> None:
        kind = update.entity.WhichOneof("entity")
        if kind == "table_entry":
            entry = update.entity.table_entry
            table = self._table(entry.table_id)
            if table.symmetric:
                pipe = entry.entry_tgt.pipe_id if entry.HasField("entry_tgt") else request.target.pipe_id
                if pipe != ALL_PIPES:
                    raise InvalidArgument(f"{table.name}: entries are those of all pipes (0xffff), not of {pipe}")
            if atomic and not table.transactional:
                raise NotSupported(f"{table.name}: takes no part in transactions")
            table.write(update.type, entry, journal)
        elif kind in self._kinds:
            self._kinds[kind](update, request, client)
        elif kind is None and update.type == pb.Update.DELETE:
            raise NotFound("the update names no entity")
        else:
            raise NotSupported(f"{kind or 'an update without an entity'}: cannot be written")

    def _operate(self, update: pb.Update, request: pb.WriteRequest, client: Client | None) -> None:
        operation = update.entity.table_operation
        self._table(operation.table_id).operate(operation.table_operations_type)

    def _set_attribute(self, update: pb.Update, request: pb.WriteRequest, client: Client | None) -> None:
        attribute = update.entity.table_attribute
        self._table(attribute.table_id).set_attribute(attribute, client)

    def _table(self, id_: int) -> ServedTable:
        try:
            return self._tables[id_]
        except KeyError:
            raise NotFound(f"there is no table of id {id_:#010x}") from None


_SUCCESS = pb.Error()
