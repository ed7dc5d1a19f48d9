"""The client with the service of p4model: the wire contract has two sides that were written apart."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from bfrt import Count, IdleTimeout, Prefix, Range, Session, Ternary, Unavailable, WriteFailed, add_port
from p4model.bfruntime import serve
from p4model.device import Device
from p4model.objects import (
    Action,
    CounterInfo,
    Counts,
    DigestInfo,
    Entry,
    Field,
    Key,
    MatchKind,
    ProgramInfo,
    RegisterInfo,
    TableInfo,
)
from p4model.state import DeviceState

PROGRAM = "l7lb"
MISS = Entry((), 0)
NO_ACTION = Action("NoAction", ())
ADDRESS, PORT = Key("address", MatchKind.EXACT, 32), Key("port", MatchKind.EXACT, 16)


def table(name: str, keys: tuple[Key, ...], *actions: Action, size: int = 1024, ages: bool = False) -> TableInfo:
    return TableInfo(name, keys, (NO_ACTION, *actions), size, MISS, idle_timeout=ages)


INFO = ProgramInfo(
    tables=(
        table("Ingress.classify.vips", (ADDRESS, PORT), Action("Ingress.classify.listener", (Field("group", 16),))),
        table(
            "Ingress.connections",
            (Key("digest", MatchKind.EXACT, 32),),
            Action("Ingress.spliced", (Field("delta", 32), Field("pivot", 1), Field("path", 15))),
            size=4,
        ),
        table(
            "Ingress.forward.routes",
            (Key("address", MatchKind.LPM, 32),),
            Action("Ingress.forward.via", (Field("next_hop", 16),)),
        ),
        table(
            "Ingress.filter",
            (Key("source", MatchKind.TERNARY, 32), Key("ports", MatchKind.RANGE, 16)),
            Action("Ingress.mark", (Field("mark", 3),)),
        ),
        table("Ingress.aged", (ADDRESS,), Action("Ingress.mark", (Field("mark", 3),)), ages=True),
    ),
    counters=(CounterInfo("Ingress.traffic", 8, Counts.PACKETS_AND_BYTES, 64),),
    registers=(RegisterInfo("Ingress.seen", 8, (Field("f1", 32),), (0,)),),
    digests=(DigestInfo("IngressDeparser.ended", (Field("source_address", 32), Field("flags", 8))),),
)


@dataclass
class Outcome:
    digests: list[tuple[str, tuple[int, ...]]]
    outputs: list[tuple[int, bytes]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


@dataclass
class Reporting:
    """A program that raises a digest of its port and its frame's first byte."""

    info: ProgramInfo = INFO

    def pipeline(self, state: DeviceState) -> Reporting:
        return self

    def process(self, port: int, frame: bytes) -> Outcome:
        return Outcome([("IngressDeparser.ended", (port, frame[0]))])


Scenario = Callable[[Session, Device], Awaitable[None]]


def run(address: str, scenario: Scenario) -> None:
    async def main() -> None:
        device = Device(Reporting())
        server = await serve(device, address, name=PROGRAM, ports=(1,))
        async with await Session.open(server.address, PROGRAM, idle=True) as session, asyncio.timeout(30):
            await scenario(session, device)
        await server.stop()

    asyncio.run(main())


def test_entries_of_every_kind(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        vips, routes, filter_ = (session.table(name) for name in ("vips", "routes", "filter"))
        spliced = session.table("connections").packer("spliced")
        await session.write(
            [
                vips.insert((1, 80), "listener", (7,)),
                routes.insert((Prefix(0x0A000000, 8),), "via", (9,)),
                filter_.insert((Ternary(1, 0xFF), Range(80, 90), 5), "mark", (3,)),
                spliced((0x12AB34CD,), (2**32 - 1, 1, 2**15 - 1)),
            ]
        )
        entry = await session.table("connections").get((0x12AB34CD,))
        assert entry is not None
        assert (entry.action, entry.arguments) == ("Ingress.spliced", (2**32 - 1, 1, 2**15 - 1))
        assert [(entry.key, entry.arguments) async for entry in routes.entries()] == [((Prefix(0x0A000000, 8),), (9,))]
        assert [entry.key async for entry in filter_.entries()] == [(Ternary(1, 0xFF), Range(80, 90), 5)]
        await session.write([vips.modify((1, 80), "listener", (8,)), vips.insert_or_modify((1, 81), "listener", (9,))])
        assert {entry.key: entry.arguments async for entry in vips.entries()} == {(1, 80): (8,), (1, 81): (9,)}
        assert await vips.usage() == 2
        await session.write([vips.delete((1, 80))])
        assert await vips.get((1, 80)) is None
        await vips.clear()
        assert await vips.usage() == 0

    run(address, scenario)


def test_default_entries(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        routes = session.table("routes")
        await session.write([routes.set_default("via", (3,))])
        default = await routes.default()
        assert default is not None
        assert (default.action, default.arguments) == ("Ingress.forward.via", (3,))
        await session.write([routes.reset_default()])
        default = await routes.default()
        assert default is not None
        assert default.action == "NoAction"

    run(address, scenario)


def test_a_full_table_refuses_the_batch_that_does_not_fit(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        connections = session.table("connections")
        spliced = connections.packer("spliced")
        updates = [spliced((digest,), (0, 0, 0)) for digest in range(connections.size + 2)]
        with pytest.raises(WriteFailed) as caught:
            await session.write(updates)
        assert caught.value.failures[0].code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await connections.usage() == 0
        assert caught.value.index is not None
        await session.write(updates[: caught.value.index])
        assert await connections.usage() == caught.value.index

    run(address, scenario)


def test_a_batch_that_goes_on(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        vips = session.table("vips")
        await session.write([vips.insert((1, 2), "listener", (0,))])
        with pytest.raises(WriteFailed) as caught:
            await session.write(
                [vips.insert((1, port), "listener", (0,)) for port in range(5)] + [vips.delete((9, 9))], atomic=False
            )
        assert [(failure.index, failure.code.name) for failure in caught.value.failures] == [
            (2, "ALREADY_EXISTS"),
            (5, "NOT_FOUND"),
        ]
        assert [failure.entry for failure in caught.value.failures][1] == "vips(address=0x00000009, port=9)"
        assert await vips.usage() == 5
        await session.write([vips.delete((9, 9))], ignore_missing=True)

    run(address, scenario)


def test_counters_and_registers(address: str) -> None:
    async def scenario(session: Session, device: Device) -> None:
        traffic, seen = session.counter("traffic"), session.register("seen")
        device.state.counter("Ingress.traffic").count(3, 100)
        device.state.counter("Ingress.traffic").count(3, 60)
        await traffic.sync()
        assert (await traffic.read(from_hw=False))[3] == Count(2, 160)
        assert await traffic.read([3, 0]) == [Count(2, 160), Count(0, 0)]
        await traffic.clear()
        assert await traffic.read([3]) == [Count(0, 0)]
        device.state.register("Ingress.seen").write(2, (5,))
        await seen.sync()
        words = await seen.read(from_hw=False)
        assert [sum(pipes) for pipes in words] == [0, 0, 5, 0, 0, 0, 0, 0]
        await session.write([seen.set(2, (0,)), seen.set(4, (1,))])
        assert device.state.register("Ingress.seen").read(2) == (0,)
        assert device.state.register("Ingress.seen").read(4) == (1,)
        await seen.clear()
        assert device.state.register("Ingress.seen").read(4) == (0,)

    run(address, scenario)


def test_digests(address: str) -> None:
    async def scenario(session: Session, device: Device) -> None:
        stream = session.digests("ended")
        for port in range(3):
            device.process(port, b"\x11")
        received: list[tuple[int, ...]] = []
        while len(received) < 3:
            received += await anext(stream)
        assert received == [(0, 0x11), (1, 0x11), (2, 0x11)]

    run(address, scenario)


def test_ageing(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        aged, stream = session.table("aged"), session.idle()
        await aged.set_idle_timeout(IdleTimeout(interval=20, least=20, most=1000))
        assert (await aged.idle_timeout()).notify
        await session.write([aged.insert((7,), "mark", (1,), {"$ENTRY_TTL": 20})])
        (ageing,) = await anext(stream)
        assert (ageing.table, ageing.key, ageing.active) == ("pipe.Ingress.aged", (7,), False)
        assert await aged.usage() == 1

    run(address, scenario)


def test_ports(address: str) -> None:
    async def scenario(session: Session, _: Device) -> None:
        assert not await add_port(session, 1, "10G")
        assert await add_port(session, 2, "100G", "rs")
        assert not await add_port(session, 2, "100G", "rs")
        port = await session.table("$PORT").get((2,))
        assert port is not None
        assert (port.fields["$SPEED"], port.fields["$PORT_ENABLE"]) == ("BF_SPEED_100G", True)

    run(address, scenario)


def test_a_server_that_comes_back_with_its_entries(address: str) -> None:
    async def main() -> None:
        device = Device(Reporting())
        server = await serve(device, address, name=PROGRAM)
        session = await Session.open(address, PROGRAM)
        vips, found = session.table("vips"), list[int]()

        async def look() -> None:
            found.append(await vips.usage())

        session.on_reconnect(look)
        await session.write([vips.insert((1, 80), "listener", (7,))])
        await server.stop()
        with pytest.raises(Unavailable):
            await session.write([vips.insert((1, 81), "listener", (7,))])
        server = await serve(device, address, name=PROGRAM)
        await session.wait_connected()
        assert found == [1]
        await session.write([vips.delete((1, 80))])
        await session.close()
        await server.stop()

    asyncio.run(main())


def test_the_example_of_the_documentation(address: str) -> None:
    document = (Path(__file__).parents[3] / "docs/bfrt.md").read_text()
    example, shown = re.findall(r"```(?:python)?\n(.*?)```", document, re.DOTALL)[:2]
    assert '"127.0.0.1:50052"' in example

    async def main() -> str:
        server = await serve(Device(Reporting()), address, name=PROGRAM)
        program = example.replace('"127.0.0.1:50052"', repr(address))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        output, _ = await process.communicate()
        await server.stop()
        return output.decode()

    assert asyncio.run(main()) == shown
