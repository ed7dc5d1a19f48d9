"""Tables and counters of a real program, on the interpreter's switch."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import text_format

from p4model.device import Switch
from p4rt import Count, Idle, Prefix, Range, SchemaError, Session, Ternary, WriteFailed
from tests.unit.p4rt.running import CONNECTION, PIPELINE, contents, opened, serving
from tests.unit.rpc.running import run

ROOT = Path(__file__).parents[3]
FRAME = bytes.fromhex("000000000001 000000000009 0002") + bytes(46)
"""Hits CONNECTION."""
ENDED = (7).to_bytes(2) + bytes(46)
"""Raises a digest, behind two addresses."""


def test_entries_of_every_kind_of_match(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            routes, rules = session.table("routes"), session.table("rules")
            await session.write(
                [
                    routes.insert((Prefix(0x0A0000000000, 8),), "via", (1,)),
                    routes.insert((Prefix(0, 0),), "via", (2,)),
                    rules.insert((Ternary(0xFF, 0x0F), Range(5, 9), 7, 10), "via", (3,)),
                    rules.insert((Ternary(0, 0), Range(0, 0xFFFF), 7, 11), "none"),
                ]
            )
            assert await contents(session, "routes", "rules") == {
                "routes": {
                    ((Prefix(0x0A0000000000, 8),), "SwitchIngress.via", (1,)),
                    ((Prefix(0, 0),), "SwitchIngress.via", (2,)),
                },
                "rules": {
                    ((Ternary(0x0F, 0x0F), Range(5, 9), 7, 10), "SwitchIngress.via", (3,)),
                    ((Ternary(0, 0), Range(0, 0xFFFF), 7, 11), "SwitchIngress.none", ()),
                },
            }
            for table in (routes, rules):
                async for entry in table.entries():
                    assert await table.get(entry.key) == entry
            assert await rules.get((Ternary(0, 0), Range(0, 0xFFFF), 7, 12)) is None
            await session.write([rules.modify((Ternary(0, 0), Range(0, 0xFFFF), 7, 11), "via", (4,))])
            assert (await rules.get((Ternary(0, 0), Range(0, 0xFFFF), 7, 11))).arguments == (4,)  # type: ignore[union-attr]
            await rules.clear()
            assert await contents(session, "rules") == {"rules": set()}

    run(scenario)


def test_the_default_entry(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            program = await table.default()
            assert program is not None
            assert (program.key, program.action) == ((), "SwitchIngress.discard")
            await session.write([table.set_default("forward", (1, 2))])
            changed = await table.default()
            assert changed is not None
            assert (changed.action, changed.arguments) == ("SwitchIngress.forward", (1, 2))
            assert await contents(session, "connections") == {"connections": set()}
            await session.write([table.reset_default()])
            assert await table.default() == program

    run(scenario)


def test_packed_updates_do_what_made_ones_do(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            insert, delete = table.packer("forward", idle_timeout=2.5), table.deleter()
            await session.write([insert((key, key), (key, 0)) for key in range(10)])
            assert await table.get((7, 7), idle_for=False) == await table.get((7, 7))
            entry = await table.get((7, 7))
            assert entry is not None
            assert (entry.arguments, entry.idle_timeout) == ((7, 0), 2.5)
            await session.write([delete((key, key)) for key in range(9)])
            assert await contents(session, "connections") == {
                "connections": {((9, 9), "SwitchIngress.forward", (9, 0))},
            }

    run(scenario)


def test_many_entries_in_one_request(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            await session.write([table.insert((n, n), "discard") for n in range(5)])
            found = await table.get_many([(4, 4), (9, 9), (1, 1)], idle_for=True)
            assert {entry.key for entry in found} == {(4, 4), (1, 1)}
            assert all(entry.idle_for is not None for entry in found)
            assert await table.get_many([]) == []

    run(scenario)


def test_counters(address: str) -> None:
    async def scenario() -> None:
        switch = Switch()
        async with serving(switch, address), await opened(address) as session:
            table, traffic = session.table("connections"), session.counter("traffic")
            await session.write([table.insert(*CONNECTION)])
            for _ in range(3):
                switch.process(5, FRAME)
            expected = Count(3, 3 * len(FRAME))
            assert (await table.get(CONNECTION[0], count=True)).count == expected  # type: ignore[union-attr]
            assert [entry.count async for entry in table.entries(count=True)] == [expected]
            assert await traffic.read([5, 0]) == [expected, Count(0, 0)]
            assert await traffic.read() == [Count(0, 0)] * 5 + [expected] + [Count(0, 0)] * 2
            await traffic.clear()
            assert await traffic.read() == [Count(0, 0)] * traffic.size

    run(scenario)


def test_entries_that_go_idle(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            idle, table = session.idle(), session.table("connections")
            await session.write([table.insert(*CONNECTION, idle_timeout=0.05), table.insert((3, 4), "discard")])
            assert await anext(idle) == [Idle("SwitchIngress.connections", CONNECTION[0])]
            ages = {entry.key: entry.idle_for async for entry in table.entries(idle_for=True)}
            assert (ages[CONNECTION[0]] or 0) >= 0.05

    run(scenario)


def test_digests(address: str) -> None:
    async def scenario() -> None:
        switch = Switch()
        async with serving(switch, address), await opened(address, digests=["ended_t"]) as session:
            ended = session.digests("ended_t")
            for source in range(3):
                switch.process(0, bytes(6) + source.to_bytes(6) + ENDED)
                assert await anext(ended) == [(source, 7)]
            assert session.lost == 0

    run(scenario)


def test_streams_end_with_the_session(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address):
            session = await opened(address, digests=["ended_t"])
            digests, idle = session.digests("ended_t"), session.idle()
            await session.close()
            assert [batch async for batch in digests] == []
            assert [batch async for batch in idle] == []

    run(scenario)


def test_each_update_for_itself(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            updates = [
                table.insert(*CONNECTION),
                table.insert(*CONNECTION),
                table.delete((8, 8)),
                table.modify((9, 9), "discard"),
                table.insert((3, 4), "discard"),
            ]
            with pytest.raises(WriteFailed, match="write failed in part") as caught:
                await session.write(updates, atomic=False, ignore_missing=True)
            assert [(each.index, each.code) for each in caught.value.failures] == [
                (1, grpc.StatusCode.ALREADY_EXISTS),
                (3, grpc.StatusCode.NOT_FOUND),
            ]
            first = caught.value.failures[0]
            assert (first.table, first.update) == ("SwitchIngress.connections", updates[1])
            assert first.entry == "connections(address=0x000000000001, kind=2)"
            assert len((await contents(session, "connections"))["connections"]) == 2
            await session.write([], atomic=False)
            await session.write([table.delete((8, 8))], ignore_missing=True)

    run(scenario)


def test_the_example_of_the_documentation(address: str, tmp_path: Path) -> None:
    document = (ROOT / "docs/p4rt.md").read_text()
    example, shown = re.findall(r"```(?:python)?\n(.*?)```", document, re.DOTALL)[:2]
    files = {
        "program.p4info.txtpb": text_format.MessageToBytes(PIPELINE.p4info),
        "program.json": PIPELINE.device_config,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        example = example.replace(f'"{name}"', repr(str(tmp_path / name)))
    assert '"127.0.0.1:9559"' in example

    async def main() -> str:
        async with serving(Switch(), address):
            program = example.replace('"127.0.0.1:9559"', repr(address))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=ROOT
            )
            output, _ = await process.communicate()
            return output.decode()

    assert asyncio.run(main()) == shown


def test_what_a_table_does_not_have(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            routes = session.table("routes")
            for mistake in (
                lambda: routes.insert((Prefix(0, 0),), "via", (1,), idle_timeout=1),
                lambda: session.table("connections").insert(*CONNECTION, idle_timeout=-1),
                lambda: session.digests("ended_t"),
                lambda: session.table("nothing"),
            ):
                with pytest.raises(SchemaError):
                    mistake()
            with pytest.raises(SchemaError, match="no counters"):
                await routes.get((Prefix(0, 0),), count=True)
            with pytest.raises(SchemaError, match="do not age"):
                await routes.get((Prefix(0, 0),), idle_for=True)

    run(scenario)


def test_ids_that_no_controller_has() -> None:
    async def scenario() -> None:
        for wrong in ({"election_id": 0}, {"election_id": 1 << 128}, {"device_id": -1}):
            with pytest.raises(ValueError, match="is not within"):
                await Session.open("unix:/nowhere", PIPELINE, **wrong)  # type: ignore[arg-type]

    run(scenario)
