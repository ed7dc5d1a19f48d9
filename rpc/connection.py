"""One life of a connection to a server: a channel with its requests, and the stream that lasts as long as it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from rpc import status
from rpc.errors import Refused, Unavailable

_log = logging.getLogger(__name__)

_FAREWELL = 1.0
"""Seconds for the server to end the stream after us, so that it has forgotten the client when `close` returns."""
_METADATA = 64 << 20
"""Bytes; the errors of a batch come as metadata, whose default limit holds a few dozen of them."""
_OPTIONS = (
    # A table may come in one message.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", _METADATA),
    ("grpc.absolute_max_metadata_size", _METADATA),
    # Finds a peer that is gone without a word. Servers with gRPC's defaults allow no more than one in five minutes.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Each life starts afresh: the pauses between attempts are the session's.
    ("grpc.use_local_subchannel_pool", 1),
)

_Request = TypeVar("_Request", bound=Message)
_Response = TypeVar("_Response", bound=Message)
_Answer = TypeVar("_Answer", bound=Message)


class Connection(Generic[_Request, _Response]):
    """`listen` once it is open; of no more use as soon as that has ended. Libraries add their opening and requests."""

    REFUSALS: ClassVar[frozenset[grpc.StatusCode]]
    """With these a server ends the stream at once because of what the client asked for."""

    def __init__(self, address: str, service: str, request: type[_Request], response: type[_Response]) -> None:
        """`service` is its full name; `request` and `response` are the messages of its StreamChannel."""
        self._service, self._response = service, response
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._stream = self._channel.stream_stream(
            f"/{service}/StreamChannel", request.SerializeToString, response.FromString
        )(None)
        self._ended: asyncio.Task[str] | None = None

    def listen(self, receive: Callable[[_Response], None]) -> asyncio.Task[str]:
        """Call `receive` with every message of the stream; the task ends with the connection, and says why it did."""
        self._ended = asyncio.create_task(self._receive(receive))
        return self._ended

    def abort(self) -> None:
        """Give the connection up: it ends soon."""
        self._stream.cancel()

    async def close(self) -> None:
        """End the stream, and everything that is under way."""
        ended = self._ended or self.listen(lambda message: None)
        try:
            if not ended.done():
                async with asyncio.timeout(_FAREWELL):
                    await self._stream.done_writing()
                    await asyncio.wait([ended])
        except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # it is cut off now
        finally:
            self._stream.cancel()
            await self._channel.close(None)
        await asyncio.wait([ended])

    # ---- for libraries

    def _unary(
        self, method: str, request: type[Message] | None, response: type[_Answer]
    ) -> grpc.aio.UnaryUnaryMultiCallable[Any, _Answer]:
        """A request with one answer; without a type, it is given serialised."""
        serializer = None if request is None else request.SerializeToString
        return self._channel.unary_unary(f"/{self._service}/{method}", serializer, response.FromString)

    def _streaming(
        self, method: str, request: type[Message], response: type[_Answer]
    ) -> grpc.aio.UnaryStreamMultiCallable[Any, _Answer]:
        """A request with a stream of answers."""
        return self._channel.unary_stream(f"/{self._service}/{method}", request.SerializeToString, response.FromString)

    async def _exchange(self, request: _Request, what: str) -> _Response:
        """Send the first message of the stream, and give the answer; raises Unavailable and Refused."""
        try:
            await self._stream.write(request)
            answer = await self._stream.read()
        except grpc.aio.AioRpcError as error:
            raise status.of_request(error, what) from error
        except asyncio.InvalidStateError:
            answer = None  # the stream ended before the request was out
        if not isinstance(answer, self._response):
            raise await self._refusal(what)
        return answer

    async def _refusal(self, what: str) -> Unavailable | Refused:
        """Why the stream ended at once."""
        code = await self._stream.code()
        text = f"{what}: {code.name}: {await self._stream.details()}"
        return Refused(text, code) if code in self.REFUSALS else Unavailable(text)

    async def _handle(self, message: _Response, receive: Callable[[_Response], None]) -> str:
        """Hand a message on; gives a reason to end the connection, or nothing."""
        receive(message)
        return ""

    async def _receive(self, receive: Callable[[_Response], None]) -> str:
        """Hand messages on until the stream ends; gives the reason."""
        try:
            while isinstance(message := await self._stream.read(), self._response):
                if reason := await self._handle(message, receive):
                    return reason
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        except asyncio.CancelledError:
            return "given up"
        except Exception:
            # The task has to end with a reason, for the session waits for it.
            _log.exception("a message of the server's could not be handled")
            return "given up after an error"
        return "ended by the server"


def cancelled(what: str) -> BaseException:
    """What CancelledError means: gRPC raises it, too, when the channel is closed under a request.

    When it was closed before, between two requests, gRPC raises UsageError.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return asyncio.CancelledError()
    return Unavailable(f"{what}: the connection was closed")
