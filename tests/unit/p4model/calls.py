"""What raw gRPC clients have in common: streams, and the errors of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

_M = TypeVar("_M", bound=Message)


class StreamCall(Generic[_M]):
    """A call of StreamChannel, whose answers are messages of the type `response`."""

    response: type[_M]

    def __init__(self, call: Any) -> None:  # noqa: ANN401
        self.call = call

    async def receive(self) -> _M:
        """The next message."""
        async with asyncio.timeout(10):
            message = await self.call.read()
        assert isinstance(message, self.response), await self.call.code()
        return message

    async def code(self) -> grpc.StatusCode:
        """How the server ended the stream."""
        async with asyncio.timeout(10):
            code: grpc.StatusCode = await self.call.code()
        return code

    async def close(self) -> None:
        """End the stream, which is well with the server; messages that nobody waited for are lost."""
        if not self.call.done():
            await self.call.done_writing()
            while isinstance(await self.call.read(), self.response):
                pass
            assert await self.code() is grpc.StatusCode.OK


async def refusal(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    """The error that a call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call was not refused")


def details(error: grpc.aio.AioRpcError, kind: type[_M]) -> list[_M]:
    """What the trailing metadata tell of each part of a request, in messages of a type."""
    assert error.code() is grpc.StatusCode.UNKNOWN, error
    trailing: Any = error.trailing_metadata()
    (data,) = (value for key, value in trailing if key == "grpc-status-details-bin")
    status = status_pb2.Status.FromString(data)
    assert (status.code, status.message) == (grpc.StatusCode.UNKNOWN.value[0], error.details())
    made = []
    for detail in status.details:
        part = kind()
        assert detail.type_url == f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
        assert detail.Unpack(part)
        made.append(part)
    return made
