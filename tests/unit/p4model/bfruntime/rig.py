"""A served device and a raw gRPC client, made from the generated stubs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from bfrt.proto import bfruntime_pb2_grpc as rpc
from p4model.bfruntime import serve
from p4model.bfruntime.schema import Schema
from p4model.device import Device
from p4model.objects import ProgramInfo
from tests.unit.p4model.bfruntime.program import PROGRAM, Program
from tests.unit.p4model.calls import StreamCall, details, refusal

ALL_PIPES = pb.TargetDevice(pipe_id=0xFFFF)
NAME = "program"
METADATA_LIMIT = ("grpc.max_metadata_size", 1 << 20)


class Rig:
    """Requests as a client would send them; names without the pipeline's are enough."""

    def __init__(self, device: Device, channel: grpc.aio.Channel, address: str) -> None:
        self.device = device
        self.address = address
        self.stub = rpc.BfRuntimeStub(channel)
        self.schema = Schema.of(device.info)
        ids = {**self.schema.tables, **self.schema.counters, **self.schema.registers}
        self.ids = {name.removeprefix("pipe."): id_ for name, id_ in ids.items()}

    def entry(
        self,
        table: str,
        key: Iterable[pb.KeyField] | None = None,
        action: str | None = None,
        values: Iterable[pb.DataField] = (),
        **more: Any,  # noqa: ANN401
    ) -> pb.TableEntry:
        entry = pb.TableEntry(table_id=self.ids[table], **more)
        if key is not None:
            entry.key.SetInParent()
            entry.key.fields.extend(key)
        if action is not None:
            entry.data.action_id = self.schema.actions[action]
        entry.data.fields.extend(values)
        return entry

    async def write(
        self,
        *updates: tuple[pb.Update.Type, pb.TableEntry] | pb.Update,
        atomicity: pb.WriteRequest.Atomicity = pb.WriteRequest.CONTINUE_ON_ERROR,
        metadata: Sequence[tuple[str, str]] = (),
        **more: Any,  # noqa: ANN401
    ) -> pb.WriteResponse:
        made = [
            update
            if isinstance(update, pb.Update)
            else pb.Update(type=update[0], entity=pb.Entity(table_entry=update[1]))
            for update in updates
        ]
        fields: dict[str, Any] = {"target": ALL_PIPES, "p4_name": NAME, "client_id": 7, **more}
        request = pb.WriteRequest(updates=made, atomicity=atomicity, **fields)
        response: pb.WriteResponse = await self.stub.Write(request, metadata=metadata, timeout=10)
        return response

    async def responses(
        self,
        *entities: pb.Entity,
        metadata: Sequence[tuple[str, str]] = (),
        **more: Any,  # noqa: ANN401
    ) -> list[pb.ReadResponse]:
        fields: dict[str, Any] = {"target": ALL_PIPES, "p4_name": NAME, "client_id": 7, **more}
        call = self.stub.Read(pb.ReadRequest(entities=entities, **fields), metadata=metadata, timeout=10)
        return [response async for response in call]

    async def read(self, *entries: pb.TableEntry) -> list[pb.TableEntry]:
        (response,) = await self.responses(*(pb.Entity(table_entry=entry) for entry in entries))
        return [entity.table_entry for entity in response.entities]

    async def usage(self, table: str) -> int:
        (response,) = await self.responses(pb.Entity(table_usage=pb.TableUsage(table_id=self.ids[table])))
        return response.entities[0].table_usage.usage

    async def bind(self, client: int, name: str = NAME) -> None:
        config = pb.ForwardingPipelineConfig(p4_name=name)
        request = pb.SetForwardingPipelineConfigRequest(client_id=client, config=[config])
        await self.stub.SetForwardingPipelineConfig(request, timeout=10)

    @asynccontextmanager
    async def subscribed(self, client: int, **notifications: bool) -> AsyncIterator[Stream]:
        stream = Stream(self.stub)
        await stream.send(subscription(client, **notifications))
        answer = await stream.receive()
        assert answer.subscribe.HasField("status")
        assert not answer.subscribe.status.code
        try:
            yield stream
        finally:
            await stream.close()


class Stream(StreamCall[pb.StreamMessageResponse]):
    """One StreamChannel."""

    response = pb.StreamMessageResponse

    def __init__(self, stub: rpc.BfRuntimeStub) -> None:
        super().__init__(stub.StreamChannel())

    async def send(self, message: pb.StreamMessageRequest) -> None:
        await self.call.write(message)


def subscription(client: int, **notifications: bool) -> pb.StreamMessageRequest:
    wants = pb.Notifications(**notifications)
    return pb.StreamMessageRequest(client_id=client, subscribe=pb.Subscribe(notifications=wants))


def exact(*values: tuple[int, int]) -> list[pb.KeyField]:
    """Exact fields, each from its value and its length in bytes."""
    made = enumerate(values, 1)
    return [
        pb.KeyField(field_id=id_, exact=pb.KeyField.Exact(value=value.to_bytes(size))) for id_, (value, size) in made
    ]


def stream(field_id: int, value: int, size: int) -> pb.DataField:
    return pb.DataField(field_id=field_id, stream=value.to_bytes(size))


def numbers(data: pb.TableData) -> dict[int, int]:
    """The integers of an entry's data by field id."""
    return {field.field_id: int.from_bytes(field.stream) for field in data.fields}


def parts(error: grpc.aio.AioRpcError) -> list[pb.Error]:
    """What the trailing metadata tell of each update."""
    return details(error, pb.Error)


async def only_part(call: Awaitable[object]) -> tuple[int, str]:
    """Code and message of the one update that a request was refused for."""
    error = await refusal(call)
    assert error.code() is grpc.StatusCode.UNKNOWN, error
    (part,) = parts(error)
    return part.canonical_code, part.message


def run(
    scenario: Callable[[Rig], Awaitable[None]],
    info: ProgramInfo = PROGRAM,
    **options: Any,  # noqa: ANN401
) -> None:
    """Run a scenario against a device of its own."""

    async def with_server() -> None:
        device = Device(Program(info))
        server = await serve(device, "127.0.0.1:0", name=NAME, **options)
        try:
            async with grpc.aio.insecure_channel(server.address, options=[METADATA_LIMIT]) as channel:
                await scenario(Rig(device, channel, server.address))
        finally:
            await server.stop()

    asyncio.run(with_server())
