"""From the gRPC status of a Write or Read to an error, with one bfrt_proto.Error per update."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from bfrt.errors import BfrtError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from bfrt.update import Update, describe
from rpc.failures import Failure, ReadFailed, WriteFailed
from rpc.status import causes, code_of, failures, of_request

_BATCH_MESSAGES = ("Write Error Status", "Read Error Status")


def of_write(error: grpc.aio.AioRpcError, updates: Sequence[Update], *, atomic: bool) -> BfrtError:
    """The error of a Write of `updates`."""
    outcomes = causes(error, pb.Error)
    if not _in_part(error, outcomes):
        return of_request(error, f"write of {len(updates)} updates")
    fate = "write undone" if atomic else "write failed in part"
    return WriteFailed(fate, failures(updates, outcomes), len(updates))


def of_read(error: grpc.aio.AioRpcError, table: TableSchema, entities: Sequence[pb.Entity]) -> BfrtError:
    """The error of a Read of `entities` of one table."""
    outcomes = causes(error, pb.Error)
    if not _in_part(error, outcomes):
        return of_request(error, f"read of {table.name}")
    failed = tuple(
        Failure(index, None, table.name, describe(table, entity), code_of(outcome), outcome.message)
        for index, (entity, outcome) in enumerate(zip(entities, outcomes, strict=False))
        if outcome.canonical_code
    )
    return ReadFailed("read failed", failed, len(entities))


def _in_part(error: grpc.aio.AioRpcError, outcomes: Sequence[pb.Error]) -> bool:
    # A list too long for the way back is left out; the updates failed all the same.
    return bool(outcomes) or (error.code() is grpc.StatusCode.UNKNOWN and error.details() in _BATCH_MESSAGES)
