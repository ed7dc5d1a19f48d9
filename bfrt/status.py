"""From a gRPC status to an error of this package.

Servers end a request of which a part failed with UNKNOWN, and put one bfrt_proto.Error per update into the trailing
metadata, in the order of the request; the list ends with the last failing one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from bfrt.errors import BfrtError, Refused, Unavailable
from bfrt.failures import Failure, ReadFailed, WriteFailed
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from bfrt.update import Update, describe

_DETAILS = "grpc-status-details-bin"
_LOST = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
    }
)
"""INTERNAL is what gRPC makes of a connection that broke within a message."""
_BATCH_MESSAGES = ("Write Error Status", "Read Error Status")
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def of_request(error: grpc.aio.AioRpcError, what: str) -> Unavailable | Refused:
    """The error of a request that failed as a whole; `what` says which, such as "bind to l7lb"."""
    code = error.code()
    text = f"{what}: {code.name}: {error.details() or 'the server gave no reason'}"
    return Unavailable(text) if code in _LOST else Refused(text, code)


def of_write(error: grpc.aio.AioRpcError, updates: Sequence[Update], *, atomic: bool) -> BfrtError:
    """The error of a Write of `updates`."""
    causes = _causes(error)
    if causes is None:
        return of_request(error, f"write of {len(updates)} updates")
    failures = tuple(
        Failure(index, update, update.table.name, str(update), _code(cause), cause.message)
        for index, (update, cause) in enumerate(zip(updates, causes, strict=False))
        if cause.canonical_code
    )
    fate = "write undone" if atomic else "write failed in part"
    return WriteFailed(fate, failures, len(updates))


def of_read(error: grpc.aio.AioRpcError, table: TableSchema, entities: Sequence[pb.Entity]) -> BfrtError:
    """The error of a Read of `entities` of one table."""
    causes = _causes(error)
    if causes is None:
        return of_request(error, f"read of {table.name}")
    failures = tuple(
        Failure(index, None, table.name, describe(table, entity), _code(cause), cause.message)
        for index, (entity, cause) in enumerate(zip(entities, causes, strict=False))
        if cause.canonical_code
    )
    return ReadFailed("read failed", failures, len(entities))


def _causes(error: grpc.aio.AioRpcError) -> list[pb.Error] | None:
    """One Error per update as far as the server listed them; None if the request failed as a whole."""
    trailing = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    details = dict(trailing).get(_DETAILS)
    if isinstance(details, bytes):
        try:
            return [_unpacked(item) for item in status_pb2.Status.FromString(details).details]
        except DecodeError:
            pass  # as if there were none
    # A list too long for the way back is left out; the updates failed all the same.
    return [] if error.code() is grpc.StatusCode.UNKNOWN and error.details() in _BATCH_MESSAGES else None


def _unpacked(item: any_pb2.Any) -> pb.Error:
    cause = pb.Error()
    if not item.Unpack(cause):
        raise DecodeError(f"{item.type_url} in place of {cause.DESCRIPTOR.full_name}")
    return cause


def _code(cause: pb.Error) -> grpc.StatusCode:
    return _CODES.get(cause.canonical_code, grpc.StatusCode.UNKNOWN)
