"""A server that does what a test tells it to: refuse, fail an update, be slow, vanish and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from google.rpc import status_pb2

from bfrt.proto import bfruntime_pb2 as pb
from bfrt.proto import bfruntime_pb2_grpc
from tests.unit.bfrt.documents import FIXED_DOCUMENT, PROGRAM, PROGRAM_DOCUMENT

OK = pb.Error()
Context = grpc.aio.ServicerContext[Any, Any]


def error(code: grpc.StatusCode, message: str = "driver's words") -> pb.Error:
    return pb.Error(canonical_code=code.value[0], message=message)


@dataclass
class Script:
    """What the server does, and what it saw; it outlives servers, as a device outlives its control plane."""

    document: bytes = PROGRAM_DOCUMENT
    fail: Callable[[pb.Update], pb.Error | None] = lambda update: None
    """The error of an update, which is else applied."""
    details: Callable[[status_pb2.Status], bytes] = lambda status: status.SerializeToString()
    before_write: Callable[[], Any] | None = None
    """Awaited before a Write is looked at."""
    answer: Callable[[pb.Entity], list[pb.Entity] | pb.Error] | None = None
    """The answer to an entity of a Read, in place of what is stored."""
    taken: set[int] = field(default_factory=set)
    """Ids of clients that the server believes to be there."""
    bound: dict[str, int] = field(default_factory=dict)
    """Clients by program."""
    refusals: dict[str, grpc.StatusCode] = field(default_factory=dict)
    """Rpcs that fail as a whole."""
    refused: list[str] = field(default_factory=list)
    entries: dict[bytes, pb.TableEntry] = field(default_factory=dict)
    writes: list[pb.WriteRequest] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    subscriptions: list[pb.Subscribe] = field(default_factory=list)
    streams: list[asyncio.Queue[pb.StreamMessageResponse | None]] = field(default_factory=list)

    def send(self, message: pb.StreamMessageResponse | None) -> None:
        """Send to every subscriber; None ends the streams."""
        for queue in self.streams:
            queue.put_nowait(message)


class Servicer(bfruntime_pb2_grpc.BfRuntimeServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def Write(self, request: pb.WriteRequest, context: Context) -> pb.WriteResponse:
        script = self._script
        await self._refuse("Write", context)
        if script.before_write is not None:
            await script.before_write()
        script.writes.append(request)
        metadata = dict(cast("Iterable[tuple[str, str]]", context.invocation_metadata()))
        script.metadata.append(metadata)
        before, outcomes = dict(script.entries), []
        atomic = request.atomicity == pb.WriteRequest.ROLLBACK_ON_ERROR
        for update in request.updates:
            outcomes.append(script.fail(update) or self._apply(update, metadata))
            if outcomes[-1].canonical_code and atomic:
                script.entries = before
                break
        await self._end(outcomes, "Write Error Status", context)
        return pb.WriteResponse()

    async def Read(self, request: pb.ReadRequest, context: Context) -> AsyncIterator[pb.ReadResponse]:
        await self._refuse("Read", context)
        outcomes, found = [], []
        for entity in request.entities:
            answer = (self._script.answer or self._stored)(entity)
            outcomes.append(answer if isinstance(answer, pb.Error) else OK)
            found += [] if isinstance(answer, pb.Error) else answer
        await self._end(outcomes, "Read Error Status", context)
        yield pb.ReadResponse(entities=found)

    async def SetForwardingPipelineConfig(
        self, request: pb.SetForwardingPipelineConfigRequest, context: Context
    ) -> pb.SetForwardingPipelineConfigResponse:
        await self._refuse("SetForwardingPipelineConfig", context)
        program = request.config[0].p4_name
        if program != PROGRAM:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such program")
        if program in self._script.bound:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "somebody is bound to it")
        self._script.bound[program] = request.client_id
        return pb.SetForwardingPipelineConfigResponse()

    async def GetForwardingPipelineConfig(
        self, request: pb.GetForwardingPipelineConfigRequest, context: Context
    ) -> pb.GetForwardingPipelineConfigResponse:
        await self._refuse("GetForwardingPipelineConfig", context)
        config = pb.ForwardingPipelineConfig(p4_name=PROGRAM, bfruntime_info=self._script.document)
        fixed = pb.NonP4Config(bfruntime_info=FIXED_DOCUMENT)
        return pb.GetForwardingPipelineConfigResponse(config=[config], non_p4_config=fixed)

    async def StreamChannel(
        self, requests: AsyncIterator[pb.StreamMessageRequest], context: Context
    ) -> AsyncIterator[pb.StreamMessageResponse]:
        await self._refuse("StreamChannel", context)
        script, first = self._script, await anext(requests)
        client, queue = first.client_id, asyncio.Queue[pb.StreamMessageResponse | None]()
        if client in script.taken:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the client id is taken")
        script.taken.add(client)
        script.subscriptions.append(first.subscribe)
        script.streams.append(queue)
        farewell = asyncio.create_task(self._farewell(requests, queue))
        try:
            yield pb.StreamMessageResponse(subscribe=pb.Subscribe(status=status_pb2.Status()))
            while (message := await queue.get()) is not None:
                yield message
        finally:
            farewell.cancel()
            script.taken.discard(client)
            script.bound = {program: other for program, other in script.bound.items() if other != client}
            script.streams.remove(queue)

    async def _farewell(
        self,
        requests: AsyncIterator[pb.StreamMessageRequest],
        queue: asyncio.Queue[pb.StreamMessageResponse | None],
    ) -> None:
        """End the stream when the client half-closes it."""
        async for request in requests:
            assert not request.HasField("digest_ack")
        queue.put_nowait(None)

    def _apply(self, update: pb.Update, metadata: dict[str, str]) -> pb.Error:
        entry, entries = update.entity.table_entry, self._script.entries
        identity = pb.TableEntry(table_id=entry.table_id, key=entry.key).SerializeToString()
        if update.type == pb.Update.DELETE and not entry.HasField("key"):
            for other in [each for each, stored in entries.items() if stored.table_id == entry.table_id]:
                del entries[other]
        elif update.type == pb.Update.DELETE:
            if identity not in entries and metadata.get("ignore_not_found") != "1":
                return error(grpc.StatusCode.NOT_FOUND, "Object not found")
            entries.pop(identity, None)
        elif update.type == pb.Update.INSERT and identity in entries:
            return error(grpc.StatusCode.ALREADY_EXISTS, "Already exists")
        elif update.entity.HasField("table_entry"):
            entries[identity] = entry
        return OK

    def _stored(self, entity: pb.Entity) -> list[pb.Entity] | pb.Error:
        stored, wanted = self._script.entries, entity.table_entry
        if entity.HasField("table_usage"):
            table = entity.table_usage.table_id
            usage = sum(entry.table_id == table for entry in stored.values())
            return [pb.Entity(table_usage=pb.TableUsage(table_id=table, usage=usage))]
        if not wanted.HasField("key"):
            found = [pb.Entity(table_entry=each) for each in stored.values() if each.table_id == wanted.table_id]
            default = pb.TableEntry(table_id=wanted.table_id, is_default_entry=True, data=pb.TableData())
            return [*found, pb.Entity(table_entry=default)]
        identity = pb.TableEntry(table_id=wanted.table_id, key=wanted.key).SerializeToString()
        if identity not in stored:
            return error(grpc.StatusCode.NOT_FOUND, "Object not found")
        return [pb.Entity(table_entry=stored[identity])]

    async def _refuse(self, rpc: str, context: Context) -> None:
        if rpc in self._script.refusals:
            self._script.refused.append(rpc)
            await context.abort(self._script.refusals[rpc], f"{rpc} is refused")

    async def _end(self, outcomes: list[pb.Error], message: str, context: Context) -> None:
        """End the rpc as servers do if one of `outcomes` is a failure: the list ends with the last one."""
        failed = [index for index, outcome in enumerate(outcomes) if outcome.canonical_code]
        if not failed:
            return
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
        for outcome in outcomes[: failed[-1] + 1]:
            status.details.add().Pack(outcome)
        context.set_trailing_metadata((("grpc-status-details-bin", self._script.details(status)),))
        await context.abort(grpc.StatusCode.UNKNOWN, message)


@asynccontextmanager
async def serving(script: Script, address: str) -> AsyncIterator[None]:
    """A server at `address` (a `unix:` path, so that it can come back there); it vanishes without a word."""
    server = grpc.aio.server()
    bfruntime_pb2_grpc.add_BfRuntimeServicer_to_server(Servicer(script), server)
    assert server.add_insecure_port(address)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
