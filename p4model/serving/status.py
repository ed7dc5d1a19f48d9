"""How refusals travel: gRPC codes, and google.rpc.Status in the trailing metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

DETAILS = "grpc-status-details-bin"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class RequestError(Exception):
    """A fault of a request as a whole, told as a plain status without details."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def refuse(context: Context, error: RequestError) -> NoReturn:
    """End a call with a plain status."""
    await context.abort(error.code, error.message)


async def fail(context: Context, parts: Iterable[Message], message: str) -> NoReturn:
    """End a call of which some part has failed: UNKNOWN, with what became of each part as details."""
    status = status_pb2.Status(code=code_pb2.UNKNOWN, message=message)
    for part in parts:
        status.details.add().Pack(part)
    await context.abort(grpc.StatusCode.UNKNOWN, message, ((DETAILS, status.SerializeToString()),))
