"""One life of a connection to a server: a channel, a subscription, and a program bound to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import grpc

from bfrt import status
from bfrt.errors import ProtocolError, Refused, Unavailable
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from bfrt.update import Update

_log = logging.getLogger(__name__)

ALL_PIPES = pb.TargetDevice(device_id=0, pipe_id=0xFFFF, direction=0xFF, prsr_id=0xFF)
_SERVICE = "/bfrt_proto.BfRuntime/"
_FAREWELL = 1.0
"""Seconds for the server to end the stream after us, so that it has forgotten the client when `close` returns."""
_METADATA = 64 << 20
"""Bytes; the errors of a batch come as metadata, whose default limit holds a few dozen of them."""
_END_OF_SECOND = ("deadline_nsec", "999999999")
"""Has a server stop a Write that nobody waits for any more. bf_switchd compares seconds and nanoseconds each for
themselves, so that any less would be over at once in most seconds."""
_OPTIONS = (
    # A table comes in one message.
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


class Connection:
    """`open`, then `listen`; of no more use as soon as that has ended."""

    def __init__(self, address: str, program: str, client_id: int, timeout: float) -> None:
        self._program, self._client_id, self._timeout = program, client_id, timeout
        channel = self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        # Requests to write are joined from serialised updates.
        self._write = channel.unary_unary(_SERVICE + "Write", None, pb.WriteResponse.FromString)
        self._read = channel.unary_stream(
            _SERVICE + "Read", pb.ReadRequest.SerializeToString, pb.ReadResponse.FromString
        )
        self._bind = channel.unary_unary(
            _SERVICE + "SetForwardingPipelineConfig",
            pb.SetForwardingPipelineConfigRequest.SerializeToString,
            pb.SetForwardingPipelineConfigResponse.FromString,
        )
        self._configuration = channel.unary_unary(
            _SERVICE + "GetForwardingPipelineConfig",
            pb.GetForwardingPipelineConfigRequest.SerializeToString,
            pb.GetForwardingPipelineConfigResponse.FromString,
        )
        self._stream = channel.stream_stream(
            _SERVICE + "StreamChannel",
            pb.StreamMessageRequest.SerializeToString,
            pb.StreamMessageResponse.FromString,
        )(None)
        self._heads = {atomic: self._head(atomic=atomic) for atomic in (False, True)}
        self._ended: asyncio.Task[str] | None = None

    async def open(self, notifications: pb.Notifications) -> tuple[bytes, bytes]:
        """Subscribe, bind, and give the program's bf-rt.json and that of the fixed tables.

        `listen` comes next. Raises Unavailable, Refused and ProtocolError; `close` is due then as ever.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._subscribe(notifications)
                await self._bind_program()
                return await self._documents()
        except TimeoutError:
            raise Unavailable(f"no answer to the subscription in {self._timeout:g} s") from None

    def listen(self, receive: Callable[[pb.StreamMessageResponse], None]) -> asyncio.Task[str]:
        """Call `receive` with every message of the stream; the task ends with the connection, and says why it did."""
        self._ended = asyncio.create_task(self._receive(receive))
        return self._ended

    async def write(self, updates: Sequence[Update], *, atomic: bool, ignore_missing: bool, timeout: float) -> None:
        """One Write; raises WriteFailed, Refused, Unavailable (and is of no more use after that)."""
        metadata = [("deadline_sec", str(int(timeout))), _END_OF_SECOND]
        if ignore_missing:
            metadata.append(("ignore_not_found", "1"))
        request = self._heads[atomic] + b"".join([update.wire for update in updates])
        try:
            await self._write(request, timeout=timeout, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise status.of_write(error, updates, atomic=atomic) from error
        except asyncio.CancelledError:
            raise _cancelled("write") from None

    async def read(self, table: TableSchema, entities: Sequence[pb.Entity], timeout: float) -> list[pb.Entity]:
        """What the server has for `entities`, all of one table; raises ReadFailed, Refused, Unavailable."""
        request = pb.ReadRequest(target=ALL_PIPES, client_id=self._client_id, entities=entities, p4_name=self._program)
        try:
            return [found async for answer in self._read(request, timeout=timeout) for found in answer.entities]
        except grpc.aio.AioRpcError as error:
            raise status.of_read(error, table, entities) from error
        except asyncio.CancelledError:
            raise _cancelled("read") from None

    def abort(self) -> None:
        """Give the connection up: it ends soon."""
        self._stream.cancel()

    async def close(self) -> None:
        """End the subscription, and everything that is under way."""
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

    def _head(self, *, atomic: bool) -> bytes:
        atomicity = pb.WriteRequest.ROLLBACK_ON_ERROR if atomic else pb.WriteRequest.CONTINUE_ON_ERROR
        return pb.WriteRequest(
            target=ALL_PIPES, client_id=self._client_id, atomicity=atomicity, p4_name=self._program
        ).SerializeToString()

    async def _subscribe(self, notifications: pb.Notifications) -> None:
        what = f"subscription of client {self._client_id}"
        request = pb.StreamMessageRequest(
            client_id=self._client_id, subscribe=pb.Subscribe(notifications=notifications)
        )
        try:
            await self._stream.write(request)
            answer = await self._stream.read()
        except grpc.aio.AioRpcError as error:
            raise status.of_request(error, what) from error
        except asyncio.InvalidStateError:
            answer = None  # the stream ended before the request was out
        if not isinstance(answer, pb.StreamMessageResponse):
            raise await self._refusal(what)
        if answer.subscribe.status.code:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise Refused(f"{what}: {answer.subscribe.status.message}", code)

    async def _refusal(self, what: str) -> Unavailable | Refused:
        """Why the stream ended at once."""
        code = await self._stream.code()
        text = f"{what}: {code.name}: {await self._stream.details()}"
        return Refused(text, code) if code is grpc.StatusCode.INVALID_ARGUMENT else Unavailable(text)

    async def _bind_program(self) -> None:
        request = pb.SetForwardingPipelineConfigRequest(
            client_id=self._client_id,
            action=pb.SetForwardingPipelineConfigRequest.BIND,
            config=[pb.ForwardingPipelineConfig(p4_name=self._program)],
        )
        try:
            await self._bind(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise status.of_request(error, f"bind to program {self._program}") from error

    async def _documents(self) -> tuple[bytes, bytes]:
        request = pb.GetForwardingPipelineConfigRequest(client_id=self._client_id)
        try:
            answer = await self._configuration(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise status.of_request(error, "description of the program") from error
        for config in answer.config:
            if config.p4_name == self._program:
                return config.bfruntime_info, answer.non_p4_config.bfruntime_info
        raise ProtocolError(f"the server is bound to {self._program} and does not describe it")

    async def _receive(self, receive: Callable[[pb.StreamMessageResponse], None]) -> str:
        """Hand messages on until the stream ends; gives the reason."""
        try:
            while isinstance(message := await self._stream.read(), pb.StreamMessageResponse):
                receive(message)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        except asyncio.CancelledError:
            return "given up"
        except Exception:
            # The task has to end with a reason, for the session waits for it.
            _log.exception("a message of the server's could not be handled")
            return "given up after an error"
        return "ended by the server"


def _cancelled(what: str) -> BaseException:
    """What CancelledError means: gRPC raises it, too, when the channel is closed under a request."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return asyncio.CancelledError()
    return Unavailable(f"{what}: the connection was closed")
