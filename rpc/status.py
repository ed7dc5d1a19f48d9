"""From a gRPC status to an error.

Servers end a request of which a part failed with UNKNOWN, and put one Error message of their protocol per update into
the trailing metadata, in the order of the request; the list may end with the last failing one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, cast

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from rpc.errors import Refused, Unavailable
from rpc.failures import Failure
from rpc.update import Update

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
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Cause(Protocol):
    """The outcome of one update: bfrt_proto.Error, p4.v1.Error."""

    canonical_code: int
    message: str


_M = TypeVar("_M", bound=Message)


def of_request(error: grpc.aio.AioRpcError, what: str) -> Unavailable | Refused:
    """The error of a request that failed as a whole; `what` says which, such as "bind to l7lb"."""
    code = error.code()
    text = f"{what}: {code.name}: {error.details() or 'the server gave no reason'}"
    return Unavailable(text) if code in _LOST else Refused(text, code)


def causes(error: grpc.aio.AioRpcError, message: type[_M]) -> list[_M]:
    """One Error per update as far as the server listed them; none if the request failed as a whole."""
    trailing = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    details = dict(trailing).get(_DETAILS)
    if not isinstance(details, bytes):
        return []
    try:
        return [_unpacked(item, message) for item in status_pb2.Status.FromString(details).details]
    except DecodeError:
        return []


def failures(updates: Sequence[Update], outcomes: Iterable[Cause]) -> tuple[Failure, ...]:
    """The updates whose outcome is not OK."""
    return tuple(
        Failure(index, update, update.table.name, str(update), code_of(outcome), outcome.message)
        for index, (update, outcome) in enumerate(zip(updates, outcomes, strict=False))
        if outcome.canonical_code
    )


def code_of(outcome: Cause) -> grpc.StatusCode:
    """The canonical code of an outcome."""
    return _CODES.get(outcome.canonical_code, grpc.StatusCode.UNKNOWN)


def _unpacked(item: any_pb2.Any, message: type[_M]) -> _M:
    unpacked = message()
    if not item.Unpack(unpacked):
        raise DecodeError(f"{item.type_url} in place of {unpacked.DESCRIPTOR.full_name}")
    return unpacked
