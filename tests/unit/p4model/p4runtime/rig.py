"""A served switch and a raw gRPC client, made from the generated stubs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.rpc import status_pb2

from p4model.device import Switch
from p4model.p4runtime import serve
from p4model.p4runtime.compiling import compile_v1model
from p4model.p4runtime.p4info import p4info
from p4model.program import preprocessed
from p4model.state import DeviceState
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.proto import p4runtime_pb2_grpc as rpc
from tests.unit.p4model.calls import StreamCall, details, refusal

SOURCE = Path(__file__).with_name("objects.p4")
TEXT = preprocessed(SOURCE)
compiled = cache(compile_v1model)
INFO = p4info(compiled(TEXT).info)
CONFIG = pb.ForwardingPipelineConfig(
    p4info=INFO,
    p4_device_config=TEXT.encode(),
    cookie=pb.ForwardingPipelineConfig.Cookie(cookie=7),
)

LINES, ROUTES, KEYLESS, RULES, DECISIONS = "lines", "routes", "keyless", "rules", "decisions"
TO, DISCARD, REWRITE, MARK, DECIDE, NOTHING = "to", "discard", "rewrite", "inner.mark", "decisions.mark", "NoAction"
TRAFFIC, OUTCOMES, LEARNED = "traffic", "outcomes", "learned_t"

INSERT, MODIFY, DELETE = pb.Update.INSERT, pb.Update.MODIFY, pb.Update.DELETE
Wanted = pb.GetForwardingPipelineConfigRequest.ResponseType
VERIFY_AND_COMMIT = pb.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT
MISSING = 0x02FFFFFF
"""The id of a table that is not there."""


def _ids() -> dict[str, int]:
    kinds = (INFO.tables, INFO.actions, INFO.counters, INFO.digests)
    return {name: one.preamble.id for kind in kinds for one in kind for name in (one.preamble.name, one.preamble.alias)}


IDS = _ids()
"""By full name and by alias."""


def octets(value: int) -> bytes:
    """The shortest big-endian bytes of a value."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))


def exact(id_: int, value: int) -> pb.FieldMatch:
    return pb.FieldMatch(field_id=id_, exact=pb.FieldMatch.Exact(value=octets(value)))


def ternary(id_: int, value: int, mask: int) -> pb.FieldMatch:
    return pb.FieldMatch(field_id=id_, ternary=pb.FieldMatch.Ternary(value=octets(value), mask=octets(mask)))


def lpm(id_: int, value: int, length: int) -> pb.FieldMatch:
    return pb.FieldMatch(field_id=id_, lpm=pb.FieldMatch.LPM(value=octets(value), prefix_len=length))


def span(id_: int, low: int, high: int) -> pb.FieldMatch:
    return pb.FieldMatch(field_id=id_, range=pb.FieldMatch.Range(low=octets(low), high=octets(high)))


def action(name: str, *arguments: int) -> pb.TableAction:
    params = [pb.Action.Param(param_id=id_, value=octets(value)) for id_, value in enumerate(arguments, 1)]
    return pb.TableAction(action=pb.Action(action_id=IDS[name], params=params))


def entry(
    table: str,
    *match: pb.FieldMatch,
    do: pb.TableAction | None = None,
    **more: Any,  # noqa: ANN401
) -> pb.TableEntry:
    return pb.TableEntry(table_id=IDS[table], match=match, action=do, **more)


def line(port: int, to: int, **more: Any) -> pb.TableEntry:  # noqa: ANN401
    """An entry of the table lines."""
    return entry(LINES, exact(1, port), do=action(TO, to), **more)


def update(kind: pb.Update.Type, one: Any) -> pb.Update:  # noqa: ANN401
    """An update of an entity of any kind."""
    return pb.Update(type=kind, entity=entity(one))


def entity(one: Any) -> pb.Entity:  # noqa: ANN401
    (field,) = (field for field in pb.Entity.DESCRIPTOR.fields if field.message_type is one.DESCRIPTOR)
    return pb.Entity(**{field.name: one})


def uint128(value: int) -> pb.Uint128:
    return pb.Uint128(high=value >> 64, low=value & (1 << 64) - 1)


def frame(destination: int = 0, source: int = 0, ether_type: int = 0x0800, size: int = 60) -> bytes:
    return (destination.to_bytes(6) + source.to_bytes(6) + ether_type.to_bytes(2)).ljust(size, b"\0")


class Client:
    """Requests as a controller with the election id 1 would send them."""

    def __init__(self, channel: grpc.aio.Channel, device_id: int = 0) -> None:
        self.stub = rpc.P4RuntimeStub(channel)
        self.device_id = device_id

    async def set_pipeline(
        self,
        config: pb.ForwardingPipelineConfig | None = CONFIG,
        kind: pb.SetForwardingPipelineConfigRequest.Action = VERIFY_AND_COMMIT,
        election_id: int = 1,
        **more: Any,  # noqa: ANN401
    ) -> None:
        fields = {"device_id": self.device_id, **more}
        request = pb.SetForwardingPipelineConfigRequest(
            election_id=uint128(election_id), action=kind, config=config, **fields
        )
        await self.stub.SetForwardingPipelineConfig(request, timeout=10)

    async def pipeline(self, kind: Wanted = pb.GetForwardingPipelineConfigRequest.ALL) -> pb.ForwardingPipelineConfig:
        request = pb.GetForwardingPipelineConfigRequest(device_id=self.device_id, response_type=kind)
        response: pb.GetForwardingPipelineConfigResponse
        response = await self.stub.GetForwardingPipelineConfig(request, timeout=10)
        return response.config

    async def write(self, *updates: pb.Update, election_id: int = 1, **more: Any) -> None:  # noqa: ANN401
        fields = {"device_id": self.device_id, **more}
        request = pb.WriteRequest(election_id=uint128(election_id), updates=updates, **fields)
        await self.stub.Write(request, timeout=10)

    async def insert(self, *entries: pb.TableEntry) -> None:
        await self.write(*(update(INSERT, one) for one in entries))

    async def read(self, *wanted: Any) -> list[pb.Entity]:  # noqa: ANN401
        request = pb.ReadRequest(device_id=self.device_id, entities=map(entity, wanted))
        call = self.stub.Read(request, timeout=10)
        (response,) = [response async for response in call]
        return list(response.entities)

    async def entries(self, wanted: pb.TableEntry) -> list[pb.TableEntry]:
        return [one.table_entry for one in await self.read(wanted)]

    @asynccontextmanager
    async def controller(self, election_id: int | None = 1, role: str = "") -> AsyncIterator[Stream]:
        """A controller with a stream that has heard of its part."""
        stream = Stream(self.stub)
        await stream.arbitrate(election_id, role=role, device_id=self.device_id)
        try:
            yield stream
        finally:
            await stream.close()


class Rig(Client):
    """A client of a switch that is at hand."""

    def __init__(self, switch: Switch, channel: grpc.aio.Channel, address: str) -> None:
        super().__init__(channel)
        self.switch = switch
        self.address = address

    @property
    def state(self) -> DeviceState:
        """What the program in place remembers."""
        assert self.switch.device is not None
        return self.switch.device.state


class Stream(StreamCall[pb.StreamMessageResponse]):
    """One StreamChannel; `status` is the last one of an arbitration."""

    response = pb.StreamMessageResponse

    def __init__(self, stub: rpc.P4RuntimeStub) -> None:
        super().__init__(stub.StreamChannel())
        self.status: status_pb2.Status | None = None

    async def send(self, **message: Any) -> None:  # noqa: ANN401
        await self.call.write(pb.StreamMessageRequest(**message))

    async def arbitrate(self, election_id: int | None, *, role: str = "", device_id: int = 0) -> None:
        """Send an arbitration message and await the answer."""
        await self.claim(election_id, role=role, device_id=device_id)
        await self.told()

    async def claim(self, election_id: int | None, *, role: str = "", device_id: int = 0) -> None:
        """Send an arbitration message."""
        message = pb.MasterArbitrationUpdate(device_id=device_id)
        if role:
            message.role.name = role
        if election_id is not None:
            message.election_id.CopyFrom(uint128(election_id))
        await self.send(arbitration=message)

    async def told(self) -> pb.MasterArbitrationUpdate:
        """The next message, which is one of an arbitration."""
        message = await self.receive()
        assert message.WhichOneof("update") == "arbitration", message
        self.status = message.arbitration.status
        return message.arbitration


def parts(error: grpc.aio.AioRpcError) -> list[pb.Error]:
    """What the trailing metadata tell of each update."""
    return details(error, pb.Error)


async def only_part(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """Code and message of the one update that a request was refused for."""
    (part,) = parts(await refusal(call))
    (code,) = (code for code in grpc.StatusCode if code.value[0] == part.canonical_code)
    return code, part.message


Scenario = Callable[[Rig], Awaitable[None]]


def run(scenario: Scenario, **options: Any) -> None:  # noqa: ANN401
    """Run a scenario against a switch without a program."""

    async def with_server() -> None:
        switch = options.pop("switch", None) or Switch()
        server = await serve(switch, "127.0.0.1:0", **{"compile_": compiled, **options})
        try:
            async with grpc.aio.insecure_channel(server.address) as channel:
                await scenario(Rig(switch, channel, server.address))
        finally:
            await server.stop()

    asyncio.run(with_server())


def run_with_pipeline(scenario: Callable[[Rig, Stream], Awaitable[None]], **options: Any) -> None:  # noqa: ANN401
    """Run a scenario with a primary controller, which has set the program."""

    async def controlled(rig: Rig) -> None:
        async with rig.controller() as stream:
            await rig.set_pipeline()
            await scenario(rig, stream)

    run(controlled, **options)


def named(messages: Sequence[pb.TableEntry]) -> list[int]:
    """The values of the first field of each entry."""
    return [int.from_bytes(one.match[0].exact.value) for one in messages]
