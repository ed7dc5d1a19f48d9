"""Batches that are all or nothing, on servers that know no such thing."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from p4model.device import Switch
from p4rt import Refused, Unavailable, WriteFailed
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4rt import scripted
from tests.unit.p4rt.running import contents, opened, serving
from tests.unit.p4rt.scripted import OK, Script, error
from tests.unit.rpc.running import Stall, run, until

FULL = error(grpc.StatusCode.RESOURCE_EXHAUSTED)
MISSING = error(grpc.StatusCode.NOT_FOUND)


def test_a_batch_of_which_a_part_fails_is_undone(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            await session.write([table.insert((n, n), "forward", (n, n), idle_timeout=9) for n in range(4)])
            await session.write([table.set_default("forward", (1, 1))])
            entries = [entry async for entry in table.entries()]
            with pytest.raises(WriteFailed, match=r"write undone: connections.*NOT_FOUND.*number 9 of 9") as caught:
                await session.write(
                    [
                        table.insert((5, 5), "discard"),
                        table.modify((0, 0), "discard"),
                        table.delete((1, 1)),
                        table.delete((2, 2)),
                        table.insert((2, 2), "discard"),
                        table.modify((2, 2), "forward", (8, 8)),
                        table.delete((0, 0)),
                        table.set_default("discard"),
                        table.delete((7, 7)),
                    ]
                )
            assert [failure.index for failure in caught.value.failures] == [8]
            restored = [entry async for entry in table.entries()]
            assert sorted(restored, key=str) == sorted(entries, key=str)
            assert (await table.default()).arguments == (1, 1)  # type: ignore[union-attr]

    run(scenario)


def test_missing_entries_that_do_not_count_are_not_brought_back(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            await session.write([table.delete((1, 1)), table.insert((2, 2), "discard")], ignore_missing=True)
            with pytest.raises(WriteFailed) as caught:
                await session.write(
                    [table.delete((1, 1)), table.delete((2, 2)), table.modify((3, 3), "discard")], ignore_missing=True
                )
            assert [failure.index for failure in caught.value.failures] == [2]
            assert await contents(session, "connections") == {"connections": {((2, 2), "SwitchIngress.discard", ())}}

    run(scenario)


def test_a_table_that_is_full(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            table = session.table("connections")
            insert = table.packer("forward")
            with pytest.raises(WriteFailed) as caught:
                await session.write([insert((n, n), (0, 0)) for n in range(table.size + 2)])
            assert {failure.code for failure in caught.value.failures} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
            assert [failure.index for failure in caught.value.failures] == [table.size, table.size + 1]
            assert await contents(session, "connections") == {"connections": set()}

    run(scenario)


def test_inserts_are_written_without_reading(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            table = session.table("connections")
            await session.write([table.insert((n, n), "discard") for n in range(3)])
            await session.write([table.delete((1, 1))])
            assert not script.asked
            await session.write([table.insert((3, 3), "discard"), table.delete((1, 1)), table.delete((3, 3))])
            assert [entity.table_entry.match[0].exact.value for entity in script.asked[0].entities] == [b"\1", b"\3"]

    run(scenario)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ([OK, FULL], "could not be undone: undoing failed: connections.*NOT_FOUND"),
        (grpc.StatusCode.PERMISSION_DENIED, "could not be undone: write of 2 updates: PERMISSION_DENIED"),
    ],
)
def test_what_cannot_be_undone_is_for_the_callbacks(
    address: str, outcome: list[pb.Error] | grpc.StatusCode, words: str
) -> None:
    async def scenario() -> None:
        script, called = Script(), asyncio.Event()

        async def callback() -> None:
            called.set()

        async with scripted.serving(script, address), await opened(address) as session:
            session.on_reconnect(callback)
            table = session.table("connections")
            script.writes += [[OK, FULL, OK], [MISSING, OK] if isinstance(outcome, list) else outcome]
            with pytest.raises(Unavailable, match=words):
                await session.write([table.insert((n, n), "discard") for n in range(3)])
            assert not session.connected
            await called.wait()
            await session.wait_connected()
        undone = script.written[1].updates
        assert [update.type for update in undone] == [pb.Update.DELETE] * 2
        assert [update.entity.table_entry.match[0].exact.value for update in undone] == [b"\2", b"\0"]

    run(scenario)


def test_what_was_there_all_the_same(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            table = session.table("connections")
            script.writes.append([OK, MISSING])
            with pytest.raises(Unavailable, match="was not there, and yet it was modified or deleted"):
                await session.write([table.delete((1, 1)), table.delete((2, 2))])

    run(scenario)


def test_an_answer_that_was_not_asked_for(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            table, foreign = session.table("connections"), pb.TableEntry(table_id=5)
            script.reads.append([pb.Entity(table_entry=foreign)])
            with pytest.raises(Exception, match="table id 0x5 was not asked for"):
                await session.write([table.delete((1, 1)), table.delete((2, 2))])
            assert not script.written

    run(scenario)


def test_failures_that_the_server_does_not_name(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            updates = [session.table("connections").insert((n, n), "discard") for n in range(2)]
            script.writes.append(grpc.StatusCode.UNKNOWN)
            with pytest.raises(WriteFailed, match="did not say which of 2 failed") as caught:
                await session.write(updates, atomic=False)
            assert caught.value.failures == ()
            assert session.connected
            # One outcome of two is as good as none.
            script.writes.append([FULL])
            with pytest.raises(Unavailable, match="did not say which of 2 failed"):
                await session.write(updates)
            assert not session.connected

    run(scenario)


def test_a_write_that_is_refused_as_a_whole(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.writes.append(grpc.StatusCode.UNIMPLEMENTED)
            with pytest.raises(Refused, match="write of 1 updates: UNIMPLEMENTED: the whole write") as caught:
                await session.write([session.table("connections").insert((1, 1), "discard")])
            assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED
            assert session.connected

    run(scenario)


def test_undoing_that_is_cancelled_is_for_the_callbacks(address: str) -> None:
    async def scenario() -> None:
        script, undoing = Script(), Stall()

        async def stuck() -> None:
            if not script.writes:
                await undoing()

        async with scripted.serving(script, address), await opened(address) as session:
            script.writes.append([OK, FULL])
            script.before_write = stuck
            table = session.table("connections")
            writing = asyncio.create_task(session.write([table.insert((n, n), "discard") for n in range(2)]))
            await undoing.arrived.wait()
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            await until(lambda: not session.connected)
            await session.wait_connected()

    run(scenario)


def test_reads_that_fail_or_contradict_the_schema(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            table, traffic = session.table("connections"), session.counter("traffic")
            unknown = pb.TableEntry(table_id=table.schema.id, action=pb.TableAction(action=pb.Action(action_id=5)))
            unknown.match.add(field_id=1).exact.value = b"\1"
            unknown.match.add(field_id=2).exact.value = b"\1"
            short = pb.TableEntry.FromString(unknown.SerializeToString())
            short.action.action.action_id = table.schema.actions.find("forward").id
            member = pb.TableEntry.FromString(unknown.SerializeToString())
            member.action.action_profile_member_id = 1
            for entry, words in (
                (unknown, "unknown action id 0x5"),
                (short, "forward came without its parameter 1"),
                (member, "with an action_profile_member_id in place of an action"),
                (pb.TableEntry(table_id=table.schema.id), "without its key field address"),
            ):
                script.reads.append([pb.Entity(table_entry=entry)])
                with pytest.raises(Exception, match=words):
                    await contents(session, "connections")
            with pytest.raises(Exception, match="left out index 0 of 8"):
                await traffic.read()
            script.reads.append(grpc.StatusCode.UNIMPLEMENTED)
            with pytest.raises(Refused, match=r"read of SwitchIngress.traffic: UNIMPLEMENTED: the whole read"):
                await traffic.read([1])
            assert await traffic.read([]) == []
            assert await table.default() is None

    run(scenario)
