"""The life of a session: servers that refuse, vanish and come back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging

import grpc
import pytest

from bfrt import ProtocolError, Refused, Session, Unavailable
from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.bfrt import documents
from tests.unit.bfrt.running import connection, ended, opened
from tests.unit.bfrt.scripted import Script, serving
from tests.unit.rpc.running import Stall, run, until


def test_without_a_server(address: str) -> None:
    async def scenario() -> None:
        with pytest.raises(Unavailable, match="UNAVAILABLE"):
            await opened(address, patience=0.2)

    run(scenario)


def test_a_server_that_starts_late(address: str) -> None:
    async def scenario() -> None:
        opening = asyncio.create_task(opened(address))
        await asyncio.sleep(0)
        async with serving(Script(), address), await opening as session:
            assert session.connected

    run(scenario)


def test_a_server_that_does_not_answer(address: str) -> None:
    async def scenario() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_unix_server(silent, address.removeprefix("unix:"))
        with pytest.raises(Unavailable):
            await opened(address, patience=0.2)
        server.close()

    run(scenario)


def test_an_unknown_program_is_refused_at_once(address: str) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address):
            with pytest.raises(Refused, match=r"bind to program other: NOT_FOUND: no such program") as caught:
                await Session.open(address, "other")
            assert caught.value.code is grpc.StatusCode.NOT_FOUND
            await until(lambda: not script.taken)

    run(scenario)


@pytest.mark.parametrize("client_id", [-1, 1 << 24])
def test_ids_that_would_lose_notifications(address: str, client_id: int) -> None:
    async def scenario() -> None:
        with pytest.raises(ValueError, match=r"not within 0\.\.16777215"):
            await opened(address, client_id=client_id)

    run(scenario)


def test_an_id_that_stays_taken(address: str) -> None:
    async def scenario() -> None:
        async with serving(Script(taken={1}), address):
            with pytest.raises(Refused, match="subscription of client 1: INVALID_ARGUMENT: the client id is taken"):
                await opened(address, patience=0.2)

    run(scenario)


def test_a_program_that_stays_bound(address: str) -> None:
    async def scenario() -> None:
        async with serving(Script(bound={documents.PROGRAM: 2}), address):
            with pytest.raises(Refused, match="ALREADY_EXISTS"):
                await opened(address, patience=0.1)

    run(scenario)


def test_id_and_program_that_come_free(address: str) -> None:
    async def scenario() -> None:
        script = Script(taken={1}, bound={documents.PROGRAM: 2})
        async with serving(script, address):
            opening = asyncio.create_task(opened(address))
            await asyncio.sleep(0)
            script.taken.clear()
            await until(lambda: bool(script.subscriptions))
            script.bound.clear()
            async with await opening as session:
                assert session.connected

    run(scenario)


def test_a_closed_session_is_gone_for_the_server_too(address: str) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address):
            for _ in range(3):
                session = await opened(address)
                await session.close()
                assert not session.connected
                with pytest.raises(Unavailable, match="closed"):
                    await session.write([connection(session, 1)])
                with pytest.raises(Unavailable, match="closed"):
                    await session.wait_connected()
            assert len(script.subscriptions) == 3
            assert script.taken == set()

    run(scenario)


def test_what_is_asked_for(address: str) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address):
            await (await Session.open(address, documents.PROGRAM, digests=False, idle=True)).close()
            await (await Session.open(address, documents.PROGRAM)).close()
        first, second = (subscription.notifications for subscription in script.subscriptions)
        assert first == pb.Notifications(enable_idletimeout_notifications=True)
        assert second == pb.Notifications(enable_learn_notifications=True)

    run(scenario)


def test_a_server_that_vanishes_and_comes_back_empty(address: str) -> None:
    async def scenario() -> None:
        script, repaired = Script(), asyncio.Event()
        async with serving(script, address):
            session = await opened(address)
            stream = session.digests("ended")
            await session.write([connection(session, 1)])

        async def repair() -> None:
            assert not session.connected
            await session.write([connection(session, 1)])
            repaired.set()

        session.on_reconnect(repair)
        await until(lambda: not session.connected)
        with pytest.raises(Unavailable):
            await session.write([connection(session, 2)])
        with pytest.raises(Unavailable):
            await session.table("connections").usage()
        script.entries.clear()
        async with serving(script, address):
            await session.wait_connected()
            assert repaired.is_set()
            assert await session.table("connections").usage() == 1
            script.send(ended((1, 2, 3)))
            assert await anext(stream) == [(1, 2, 3)]
            await session.close()

    run(scenario)


def test_a_stream_that_the_server_ends(address: str) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address), await opened(address) as session:
            for life in range(2, 5):
                script.send(None)
                await until(lambda life=life: len(script.subscriptions) == life)  # type: ignore[misc]
                await session.wait_connected()
                await session.write([connection(session, life)])

    run(scenario)


def test_a_server_that_vanishes_within_a_write(address: str) -> None:
    async def scenario() -> None:
        script, stuck, found = Script(), Stall(), list[int]()

        async with serving(script, address):
            session = await opened(address)

            async def look() -> None:
                found.append(await session.table("connections").usage())

            session.on_reconnect(look)
            script.before_write = stuck
            writing = asyncio.create_task(session.write([connection(session, 1)]))
            await stuck.arrived.wait()
        with pytest.raises(Unavailable):
            await writing
        assert not session.connected
        script.before_write = None
        async with serving(script, address):
            await until(lambda: session.connected and bool(found))
            assert found == [0]
            await session.close()

    run(scenario)


def test_closing_within_a_write(address: str) -> None:
    async def scenario() -> None:
        script, stuck = Script(), Stall()

        script.before_write = stuck
        async with serving(script, address):
            session = await opened(address)
            writing = asyncio.create_task(session.write([connection(session, 1)]))
            await stuck.arrived.wait()
            await session.close()
            with pytest.raises(Unavailable):
                await writing

    run(scenario)


def test_cancelling_a_write_cancels_it(address: str) -> None:
    async def scenario() -> None:
        script, stuck = Script(), Stall()

        script.before_write = stuck
        async with serving(script, address), await opened(address) as session:
            writing = asyncio.create_task(session.write([connection(session, 1)]))
            await stuck.arrived.wait()
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing

    run(scenario)


@pytest.mark.parametrize("error", [Unavailable("a request failed"), RuntimeError("a bug")])
def test_a_callback_that_fails_makes_the_session_start_over(
    address: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address), await opened(address) as session:
            calls = itertools.count(1)

            async def callback() -> None:
                if next(calls) < 3:
                    raise error

            session.on_reconnect(callback)
            script.send(None)
            await until(lambda: not session.connected)
            await session.wait_connected()
            assert next(calls) == 4
            assert len(script.subscriptions) == 4

    run(scenario)
    assert str(error) in caplog.text


def test_a_callback_that_swallows_what_failed_makes_the_session_start_over_too(address: str) -> None:
    async def scenario() -> None:
        script, calls = Script(), itertools.count(1)
        async with serving(script, address), await opened(address) as session:

            async def callback() -> None:
                script.before_write = asyncio.Event().wait if next(calls) == 1 else None
                with contextlib.suppress(Unavailable):
                    await session.write([connection(session, 1)], timeout=0.05)

            session.on_reconnect(callback)
            script.send(None)
            await until(lambda: not session.connected)
            await session.wait_connected()
            assert next(calls) == 3
            assert await session.table("connections").usage() == 1

    run(scenario)


def test_another_program_of_the_same_name_is_not_taken_for_it(address: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address), await opened(address) as session:
            document = json.loads(script.document)
            document["tables"][0]["size"] = 1
            before, script.document = script.document, json.dumps(document).encode()
            script.send(None)
            await until(lambda: "not the one that it was" in caplog.text)
            assert not session.connected
            script.document = before
            await session.wait_connected()

    run(scenario)


def test_a_server_that_does_not_describe_the_program(address: str) -> None:
    async def scenario() -> None:
        async with serving(Script(document=b"{"), address):
            with pytest.raises(ProtocolError, match=r"bf-rt\.json"):
                await opened(address)

    run(scenario)


def test_the_log_says_a_reason_once(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="rpc")

    async def scenario() -> None:
        script = Script()
        async with serving(script, address):
            session = await opened(address)
            script.refusals["StreamChannel"] = grpc.StatusCode.RESOURCE_EXHAUSTED
            script.send(None)
            await until(lambda: len(script.refused) == 3)
            script.refusals.clear()
            await session.wait_connected()
            await session.close()

    run(scenario)
    assert caplog.text.count("RESOURCE_EXHAUSTED") == 1
