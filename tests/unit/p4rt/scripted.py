"""A server that does what a test tells it to: fail an update, contradict itself, end a stream."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from p4rt.proto import p4data_pb2, p4runtime_pb2_grpc
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4rt.running import PIPELINE

OK = pb.Error()
ENDED = PIPELINE.schema.digest("ended_t").id
Context = grpc.aio.ServicerContext[Any, Any]


def error(code: grpc.StatusCode, message: str = "the server's words") -> pb.Error:
    return pb.Error(canonical_code=code.value[0], message=message)


@dataclass
class Script:
    """What the server does, and what it saw."""

    writes: deque[list[pb.Error] | grpc.StatusCode] = field(default_factory=deque)
    """What each next Write ends with: one outcome per update, or a code for the whole; else it is taken."""
    reads: deque[list[pb.Entity] | grpc.StatusCode] = field(default_factory=deque)
    """What each next Read is answered with; else nothing is found."""
    arbitrations: deque[list[pb.StreamMessageResponse] | grpc.StatusCode] = field(default_factory=deque)
    """What each next stream begins with; else its controller becomes the primary."""
    configuration: grpc.StatusCode | int | None = None
    """The code or the cookie that GetForwardingPipelineConfig answers with; None: as it was set."""
    commit: grpc.StatusCode = grpc.StatusCode.OK
    written: list[pb.WriteRequest] = field(default_factory=list)
    asked: list[pb.ReadRequest] = field(default_factory=list)
    pipelines: list[pb.SetForwardingPipelineConfigRequest] = field(default_factory=list)
    acks: list[pb.DigestListAck] = field(default_factory=list)
    streams: list[asyncio.Queue[pb.StreamMessageResponse | None]] = field(default_factory=list)
    before_write: Any = None
    """Awaited before a Write is looked at."""

    def send(self, message: pb.StreamMessageResponse | None) -> None:
        """Send to every controller; None ends the streams."""
        for queue in self.streams:
            queue.put_nowait(message)


def arbitration(status: int = 0, election_id: int = 1) -> pb.StreamMessageResponse:
    return pb.StreamMessageResponse(
        arbitration=pb.MasterArbitrationUpdate(
            election_id=pb.Uint128(low=election_id), status=status_pb2.Status(code=status)
        )
    )


class Servicer(p4runtime_pb2_grpc.P4RuntimeServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def Write(self, request: pb.WriteRequest, context: Context) -> pb.WriteResponse:
        script = self._script
        if script.before_write is not None:
            await script.before_write()
        script.written.append(request)
        outcome = script.writes.popleft() if script.writes else []
        if isinstance(outcome, grpc.StatusCode):
            await context.abort(outcome, "the whole write")
        elif outcome:
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], details=map(_packed, outcome))
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            await context.abort(grpc.StatusCode.UNKNOWN)
        return pb.WriteResponse()

    async def Read(self, request: pb.ReadRequest, context: Context) -> AsyncIterator[pb.ReadResponse]:
        self._script.asked.append(request)
        answer = self._script.reads.popleft() if self._script.reads else []
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "the whole read")
        else:
            yield pb.ReadResponse(entities=answer)

    async def SetForwardingPipelineConfig(
        self, request: pb.SetForwardingPipelineConfigRequest, context: Context
    ) -> pb.SetForwardingPipelineConfigResponse:
        self._script.pipelines.append(request)
        if self._script.commit is not grpc.StatusCode.OK:
            await context.abort(self._script.commit, "not this pipeline")
        return pb.SetForwardingPipelineConfigResponse()

    async def GetForwardingPipelineConfig(
        self, request: pb.GetForwardingPipelineConfigRequest, context: Context
    ) -> pb.GetForwardingPipelineConfigResponse:
        script = self._script
        answer = pb.GetForwardingPipelineConfigResponse()
        if isinstance(script.configuration, grpc.StatusCode):
            await context.abort(script.configuration, "the pipeline")
        elif script.configuration is not None:
            answer.config.cookie.cookie = script.configuration
        elif script.pipelines:
            answer.config.cookie.CopyFrom(script.pipelines[-1].config.cookie)
        else:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no pipeline")
        return answer

    async def StreamChannel(
        self, requests: AsyncIterator[pb.StreamMessageRequest], context: Context
    ) -> AsyncIterator[pb.StreamMessageResponse]:
        script = self._script
        await anext(requests)
        begin = script.arbitrations.popleft() if script.arbitrations else [arbitration()]
        if isinstance(begin, grpc.StatusCode):
            await context.abort(begin, "this stream")
        queue: asyncio.Queue[pb.StreamMessageResponse | None] = asyncio.Queue()
        script.streams.append(queue)
        listening = asyncio.create_task(self._listen(requests, queue))
        try:
            for message in begin if isinstance(begin, list) else ():
                yield message
            while (message_ := await queue.get()) is not None:
                yield message_
        finally:
            script.streams.remove(queue)
            listening.cancel()

    async def _listen(
        self,
        requests: AsyncIterator[pb.StreamMessageRequest],
        queue: asyncio.Queue[pb.StreamMessageResponse | None],
    ) -> None:
        async for request in requests:
            self._script.acks.append(request.digest_ack)
        queue.put_nowait(None)


def _packed(cause: pb.Error) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(cause)
    return packed


@asynccontextmanager
async def serving(script: Script, address: str) -> AsyncIterator[None]:
    server = grpc.aio.server()
    p4runtime_pb2_grpc.add_P4RuntimeServicer_to_server(Servicer(script), server)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


def digest(*addresses: int, list_id: int = 1, digest_id: int = ENDED) -> pb.StreamMessageResponse:
    """A list of the program's digest."""
    data = [
        p4data_pb2.P4Data(
            struct=p4data_pb2.P4StructLike(
                members=[p4data_pb2.P4Data(bitstring=value.to_bytes(6)) for value in (address, 7)]
            )
        )
        for address in addresses
    ]
    return pb.StreamMessageResponse(digest=pb.DigestList(digest_id=digest_id, list_id=list_id, data=data))
