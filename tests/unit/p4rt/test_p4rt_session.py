"""The life of a session: servers that refuse, vanish and come back, and other controllers."""

from __future__ import annotations

import asyncio
import logging

import grpc
import pytest

from p4model.device import Switch
from p4rt import Refused, Session, Unavailable, WriteFailed
from tests.unit.p4rt import scripted
from tests.unit.p4rt.running import CONNECTION, OTHER, PIPELINE, contents, opened, serving
from tests.unit.p4rt.scripted import Script, arbitration, error
from tests.unit.rpc.running import Stall, run, until

ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS.value[0]
NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]


async def insert(session: Session) -> None:
    await session.write([session.table("connections").insert(*CONNECTION)])


def test_without_a_server(address: str) -> None:
    async def scenario() -> None:
        with pytest.raises(Unavailable, match="UNAVAILABLE"):
            await opened(address, patience=0.2)

    run(scenario)


def test_a_server_that_starts_late(address: str) -> None:
    async def scenario() -> None:
        opening = asyncio.create_task(opened(address))
        await asyncio.sleep(0)
        async with serving(Switch(), address), await opening as session:
            assert session.connected

    run(scenario)


def test_a_server_that_does_not_answer(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        script.arbitrations.append([])
        async with scripted.serving(script, address):
            with pytest.raises(Unavailable, match="no answer to the arbitration"):
                await opened(address, patience=0.1)
            await until(lambda: not script.streams)

    run(scenario)


def test_a_program_in_force_is_kept_with_its_entries(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address):
            async with await opened(address) as session:
                await insert(session)
            async with await opened(address) as session:
                assert len((await contents(session, "connections"))["connections"]) == 1
            async with await opened(address, OTHER) as session:
                assert await contents(session, "connections") == {"connections": set()}

    run(scenario)


def test_a_server_that_restarts_gets_its_program_again(address: str) -> None:
    async def scenario() -> None:
        found: list[dict[str, set[tuple[object, ...]]]] = []
        async with serving(Switch(), address):
            session = await opened(address, digests=["ended_t"])
            ended = session.digests("ended_t")
            await insert(session)

        async def reconcile() -> None:
            assert not session.connected
            found.append(await contents(session, "connections"))
            await insert(session)

        session.on_reconnect(reconcile)
        await until(lambda: not session.connected)
        with pytest.raises(Unavailable, match="not connected"):
            await insert(session)
        switch = Switch()
        async with serving(switch, address):
            await session.wait_connected()
            assert found == [{"connections": set()}]
            assert len((await contents(session, "connections"))["connections"]) == 1
            switch.process(0, bytes(12) + (7).to_bytes(2) + bytes(46))
            assert await anext(ended) == [(0, 7)]
            await session.close()

    run(scenario)


def test_a_switch_that_has_the_program_still_is_not_given_it_again(address: str) -> None:
    async def scenario() -> None:
        script, called = Script(), asyncio.Event()

        async def callback() -> None:
            called.set()

        async with scripted.serving(script, address), await opened(address) as session:
            session.on_reconnect(callback)
            script.send(None)
            await called.wait()
            assert len(script.pipelines) == 1

    run(scenario)


def test_a_server_without_a_program_is_given_up_and_gets_it(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.writes.append(grpc.StatusCode.FAILED_PRECONDITION)
            script.configuration = grpc.StatusCode.FAILED_PRECONDITION
            with pytest.raises(Unavailable, match="FAILED_PRECONDITION"):
                await insert(session)
            assert not session.connected
            await session.wait_connected()
            assert len(script.pipelines) == 2

    run(scenario)


def test_a_pipeline_that_the_server_does_not_take(address: str) -> None:
    async def scenario() -> None:
        script = Script(commit=grpc.StatusCode.UNIMPLEMENTED)
        async with scripted.serving(script, address):
            with pytest.raises(Refused, match="set pipeline: UNIMPLEMENTED: not this pipeline"):
                await opened(address)
            await until(lambda: not script.streams)
        async with scripted.serving(Script(configuration=grpc.StatusCode.UNIMPLEMENTED), address):
            with pytest.raises(Refused, match="pipeline in force"):
                await opened(address)

    run(scenario)


def test_digests_that_are_asked_for_already_and_ones_that_are_refused(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address):
            script.writes.append([error(grpc.StatusCode.ALREADY_EXISTS)])
            async with await opened(address, digests=["ended_t"]) as session:
                assert session.connected
            script.writes.append([error(grpc.StatusCode.UNIMPLEMENTED)])
            with pytest.raises(WriteFailed, match="request for digests: ended_t: UNIMPLEMENTED"):
                await opened(address, digests=["ended_t"])
        assert script.written[0].updates[0].entity.digest_entry.config.max_list_size == 1

    run(scenario)


# ---- other controllers


def test_another_controller_is_primary(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address, election_id=(1 << 64) + 5):
            with pytest.raises(Refused, match=f"another controller is primary, election id {(1 << 64) + 5}") as caught:
                await opened(address)
            assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED

    run(scenario)


def test_an_election_id_that_stays_taken(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address):
            with pytest.raises(Refused, match="each controller of a device needs its own election id"):
                await opened(address, patience=0.1)

    run(scenario)


def test_an_election_id_that_comes_free(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        script.arbitrations += [grpc.StatusCode.INVALID_ARGUMENT] * 2
        async with scripted.serving(script, address), await opened(address) as session:
            assert session.connected
            assert not script.arbitrations

    run(scenario)


def test_an_election_id_below_those_that_the_switch_has_seen(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        script.arbitrations.append([arbitration(NOT_FOUND, 7)])
        async with scripted.serving(script, address):
            with pytest.raises(Refused, match="has seen election id 7: use that or a higher one"):
                await opened(address)

    run(scenario)


def test_a_device_that_is_not_there(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address):
            with pytest.raises(Refused, match="of device 1: NOT_FOUND"):
                await Session.open(address, PIPELINE, device_id=1)

    run(scenario)


def test_the_primary_role_is_lost_and_regained(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="rpc")

    async def scenario() -> None:
        calls = list[bool]()
        switch = Switch()
        async with serving(switch, address), await opened(address) as session:

            async def reconcile() -> None:
                calls.append(session.connected)

            session.on_reconnect(reconcile)
            async with await opened(address, election_id=2) as other:
                await until(lambda: not session.connected)
                for _ in range(2):
                    with pytest.raises(Unavailable, match="another controller is primary, election id 2"):
                        await insert(session)
                await insert(other)
                assert not calls
            # It stands by on a stream of its own, and needs no attempt of its own to hear of it.
            await session.wait_connected()
            assert calls == [False]
            assert len((await contents(session, "connections"))["connections"]) == 1

    run(scenario)
    assert caplog.text.count("another controller is primary") == 1
    assert "connected again" in caplog.text


def test_a_backup_stands_by_through_what_it_does_not_care_for(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.arbitrations += [[arbitration(ALREADY_EXISTS, 2)], grpc.StatusCode.RESOURCE_EXHAUSTED]
            script.send(arbitration(ALREADY_EXISTS, 2))
            await until(lambda: len(script.arbitrations) <= 1)
            await until(lambda: bool(script.streams))
            script.send(scripted.digest(1))
            script.send(arbitration(ALREADY_EXISTS, 3))
            script.send(None)
            await until(lambda: not script.arbitrations)
            await session.wait_connected()
            await insert(session)

    run(scenario)


def test_a_server_that_vanishes_from_a_backup(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address):
            session = await opened(address)
            script.arbitrations.append([arbitration(ALREADY_EXISTS, 2)])
            script.send(arbitration(ALREADY_EXISTS, 2))
            await until(lambda: not script.arbitrations)
        async with scripted.serving(Script(), address):
            await session.wait_connected()
            await session.close()

    run(scenario)


def test_closing_while_standing_by(address: str) -> None:
    async def scenario() -> None:
        async with serving(Switch(), address), await opened(address) as session:
            async with await opened(address, election_id=2):
                await until(lambda: not session.connected)
                await session.close()
            with pytest.raises(Unavailable, match="closed"):
                await session.wait_connected()

    run(scenario)


def test_a_write_that_comes_too_late_for_the_primary_role(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.writes.append(grpc.StatusCode.PERMISSION_DENIED)
            with pytest.raises(Unavailable, match="PERMISSION_DENIED"):
                await insert(session)
            await session.wait_connected()

    run(scenario)


def test_the_primary_is_told_again_that_it_is(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address, digests=["ended_t"]) as session:
            ended = session.digests("ended_t")
            script.send(arbitration())
            script.send(scripted.digest(5))
            assert await anext(ended) == [(5, 7)]
            assert session.connected

    run(scenario)


def test_requests_under_way_when_the_session_is_closed(address: str) -> None:
    async def scenario() -> None:
        script, stuck = Script(), Stall()

        async with scripted.serving(script, address):
            session = await opened(address)
            script.before_write = stuck
            writing = asyncio.create_task(insert(session))
            await stuck.arrived.wait()
            await session.close()
            with pytest.raises(Unavailable):
                await writing

    run(scenario)


def test_closing_right_after_a_request_has_failed(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address):
            session = await opened(address)
            connection = session._keeper.standing()
            script.writes.append(grpc.StatusCode.PERMISSION_DENIED)
            with pytest.raises(Unavailable, match="PERMISSION_DENIED"):
                await insert(session)
            # The connection is given up, and nobody had the time to end it yet.
            await session.close()
            with pytest.raises(Unavailable, match="write: the connection was closed"):
                await connection.write([session.table("connections").insert(*CONNECTION)], 5.0)
            with pytest.raises(Unavailable, match="the session is closed"):
                await insert(session)

    run(scenario)


def test_no_answer_in_time_ends_the_connection(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.before_write = asyncio.Event().wait
            with pytest.raises(Unavailable, match="DEADLINE_EXCEEDED"):
                await session.write([session.table("connections").insert(*CONNECTION)], timeout=0.05)
            assert not session.connected
            script.before_write = None
            await session.wait_connected()

    run(scenario)
