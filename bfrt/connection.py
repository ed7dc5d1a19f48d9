"""One life of a connection to a server: a channel, a subscription, and a program bound to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc

import rpc.connection
from bfrt import status
from bfrt.errors import ProtocolError, Refused, Unavailable
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import TableSchema
from bfrt.update import Update
from rpc.connection import cancelled
from rpc.status import of_request

ALL_PIPES = pb.TargetDevice(device_id=0, pipe_id=0xFFFF, direction=0xFF, prsr_id=0xFF)
_SERVICE = "bfrt_proto.BfRuntime"
_END_OF_SECOND = ("deadline_nsec", "999999999")
"""Has a server stop a Write that nobody waits for any more. bf_switchd compares seconds and nanoseconds each for
themselves, so that any less would be over at once in most seconds."""


class Connection(rpc.connection.Connection[pb.StreamMessageRequest, pb.StreamMessageResponse]):
    """`open`, then `listen`; of no more use as soon as that has ended."""

    REFUSALS = frozenset({grpc.StatusCode.INVALID_ARGUMENT})

    def __init__(self, address: str, program: str, client_id: int, timeout: float) -> None:
        super().__init__(address, _SERVICE, pb.StreamMessageRequest, pb.StreamMessageResponse)
        self._program, self._client_id, self._timeout = program, client_id, timeout
        # Requests to write are joined from serialised updates.
        self._write = self._unary("Write", None, pb.WriteResponse)
        self._read = self._streaming("Read", pb.ReadRequest, pb.ReadResponse)
        self._bind = self._unary(
            "SetForwardingPipelineConfig",
            pb.SetForwardingPipelineConfigRequest,
            pb.SetForwardingPipelineConfigResponse,
        )
        self._configuration = self._unary(
            "GetForwardingPipelineConfig",
            pb.GetForwardingPipelineConfigRequest,
            pb.GetForwardingPipelineConfigResponse,
        )
        self._heads = {atomic: self._head(atomic=atomic) for atomic in (False, True)}

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
        except (asyncio.CancelledError, grpc.aio.UsageError):
            raise cancelled("write") from None

    async def read(self, table: TableSchema, entities: Sequence[pb.Entity], timeout: float) -> list[pb.Entity]:
        """What the server has for `entities`, all of one table; raises ReadFailed, Refused, Unavailable."""
        request = pb.ReadRequest(target=ALL_PIPES, client_id=self._client_id, entities=entities, p4_name=self._program)
        try:
            return [found async for answer in self._read(request, timeout=timeout) for found in answer.entities]
        except grpc.aio.AioRpcError as error:
            raise status.of_read(error, table, entities) from error
        except (asyncio.CancelledError, grpc.aio.UsageError):
            raise cancelled("read") from None

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
        answer = await self._exchange(request, what)
        if answer.subscribe.status.code:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise Refused(f"{what}: {answer.subscribe.status.message}", code)

    async def _bind_program(self) -> None:
        request = pb.SetForwardingPipelineConfigRequest(
            client_id=self._client_id,
            action=pb.SetForwardingPipelineConfigRequest.BIND,
            config=[pb.ForwardingPipelineConfig(p4_name=self._program)],
        )
        try:
            await self._bind(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise of_request(error, f"bind to program {self._program}") from error

    async def _documents(self) -> tuple[bytes, bytes]:
        request = pb.GetForwardingPipelineConfigRequest(client_id=self._client_id)
        try:
            answer = await self._configuration(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise of_request(error, "description of the program") from error
        for config in answer.config:
            if config.p4_name == self._program:
                return config.bfruntime_info, answer.non_p4_config.bfruntime_info
        raise ProtocolError(f"the server is bound to {self._program} and does not describe it")
