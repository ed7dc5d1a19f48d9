"""From the gRPC status of a Write or Read to an error, with one p4.v1.Error per update."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from p4rt.errors import P4rtError, Unavailable
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.update import Update
from rpc.failures import Failure, WriteFailed
from rpc.status import causes, failures, of_request

_NOT_OURS = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION})
"""We are the primary no more, or the server has no program any more: a new connection finds out."""


def of_whole(error: grpc.aio.AioRpcError, what: str) -> P4rtError:
    """The error of a Write or Read that was refused as a whole."""
    refused = of_request(error, what)
    return Unavailable(str(refused)) if error.code() in _NOT_OURS else refused


def of_write(error: grpc.aio.AioRpcError, updates: Sequence[Update]) -> P4rtError | tuple[Failure, ...]:
    """The updates that failed, every other one having been applied; or the error of the Write as a whole."""
    outcomes = causes(error, pb.Error)
    if len(outcomes) == len(updates):
        return failures(updates, outcomes)
    if error.code() is not grpc.StatusCode.UNKNOWN:
        return of_whole(error, f"write of {len(updates)} updates")
    return WriteFailed("write failed in part", (), len(updates))
