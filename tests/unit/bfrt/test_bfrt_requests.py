"""Writes and reads against a server: what arrives there, what comes back, and what is said when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import pytest
import uvloop

from bfrt import (
    IdleTimeout,
    KeyValue,
    Prefix,
    ProtocolError,
    Range,
    ReadFailed,
    Refused,
    SchemaError,
    Session,
    Ternary,
    Unavailable,
    Update,
    WriteFailed,
    add_port,
)
from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.bfrt import documents
from tests.unit.bfrt.scripted import Script, error, serving

Scenario = Callable[[Session], Awaitable[None]]


def run(address: str, script: Script, scenario: Scenario) -> None:
    async def main() -> None:
        async with serving(script, address), await Session.open(address, documents.PROGRAM) as session:
            await scenario(session)

    asyncio.run(main())


def connections(session: Session, *digests: int) -> list[Update]:
    pack = session.table("connections").packer("spliced")
    return [pack((digest,), (digest + 1, 0, 7)) for digest in digests]


def failing(digest: int, code: grpc.StatusCode) -> Callable[[pb.Update], pb.Error | None]:
    def fail(update: pb.Update) -> pb.Error | None:
        key = update.entity.table_entry.key.fields
        return error(code, "Not enough space") if key and int.from_bytes(key[0].exact.value) == digest else None

    return fail


async def digests(session: Session) -> list[KeyValue]:
    return sorted([entry.key[0] async for entry in session.table("connections").entries()])  # type: ignore[type-var]


def test_entries_come_back_as_they_went(address: str) -> None:
    async def scenario(session: Session) -> None:
        filter_ = session.table("Ingress.policy.filter")
        key = (Ternary(0x0A000000, 0xFF000000), Range(80, 90), None, 3)
        await session.write(
            [
                *connections(session, 1, 2),
                session.table("routes").insert((Prefix(0x0A000000, 8),), "via", (9,)),
                session.table("vips").insert((0xC0000201, 80), "listener", (5,)),
                session.table("aged").insert((1,), "NoAction", (), {"$ENTRY_TTL": 5000}),
                filter_.insert(key, "NoAction"),
            ]
        )
        assert await digests(session) == [1, 2]
        entry = await session.table("connections").get((2,))
        assert entry is not None
        assert (entry.key, entry.action, entry.arguments) == ((2,), "Ingress.spliced", (3, 0, 7))
        assert [entry.key async for entry in session.table("routes").entries()] == [(Prefix(0x0A000000, 8),)]
        assert [entry.key async for entry in filter_.entries()] == [key]
        aged = await session.table("aged").get((1,))
        assert aged is not None
        assert aged.fields == {"$ENTRY_TTL": 5000}
        assert await session.table("connections").get((9,)) is None
        assert await session.table("connections").usage() == 2
        await session.table("connections").clear()
        assert await digests(session) == []
        assert await session.table("vips").usage() == 1

    run(address, Script(), scenario)


def test_a_write_is_for_all_pipes_of_this_program(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        await session.write(connections(session, 1))
        await session.write([])

    run(address, script, scenario)
    (request,) = script.writes
    assert request.target == pb.TargetDevice(device_id=0, pipe_id=0xFFFF, direction=0xFF, prsr_id=0xFF)
    assert (request.client_id, request.p4_name) == (1, documents.PROGRAM)
    assert request.atomicity == pb.WriteRequest.ROLLBACK_ON_ERROR


def test_a_failed_atomic_batch_names_its_cause_and_leaves_nothing(address: str) -> None:
    async def scenario(session: Session) -> None:
        with pytest.raises(WriteFailed) as caught:
            await session.write(connections(session, 1, 2, 0x12AB34CD, 4))
        assert await digests(session) == []
        (failure,) = caught.value.failures
        assert caught.value.index == failure.index == 2
        assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (failure.table, failure.entry) == ("pipe.Ingress.connections", "connections(digest=0x12ab34cd)")
        assert failure.update == connections(session, 0x12AB34CD)[0]
        assert str(caught.value) == (
            "write undone: connections(digest=0x12ab34cd): RESOURCE_EXHAUSTED: Not enough space (number 3 of 4)"
        )

    run(address, Script(fail=failing(0x12AB34CD, grpc.StatusCode.RESOURCE_EXHAUSTED)), scenario)


def test_a_batch_that_goes_on_names_every_failure(address: str) -> None:
    async def scenario(session: Session) -> None:
        await session.write(connections(session, 2, 4))
        with pytest.raises(WriteFailed, match="and 1 more") as caught:
            await session.write(connections(session, 1, 2, 3, 4, 5), atomic=False)
        assert [failure.index for failure in caught.value.failures] == [1, 3]
        assert {failure.code for failure in caught.value.failures} == {grpc.StatusCode.ALREADY_EXISTS}
        assert await digests(session) == [1, 2, 3, 4, 5]

    run(address, Script(), scenario)


def test_a_long_list_of_causes_arrives_whole(address: str) -> None:
    async def scenario(session: Session) -> None:
        with pytest.raises(WriteFailed) as caught:
            await session.write(connections(session, *range(4096)), atomic=False)
        assert len(caught.value.failures) == 4096

    run(address, Script(fail=lambda _: error(grpc.StatusCode.RESOURCE_EXHAUSTED, "x" * 60)), scenario)


@pytest.mark.parametrize("details", [b"", b"\xff\xff not a status"], ids=["none", "garbage"])
def test_a_failure_without_its_list_is_still_one(address: str, details: bytes) -> None:
    async def scenario(session: Session) -> None:
        with pytest.raises(WriteFailed, match="did not say which of 2 failed") as caught:
            await session.write(connections(session, 1, 2))
        assert caught.value.failures == ()
        assert caught.value.index is None

    script = Script(fail=failing(1, grpc.StatusCode.INTERNAL), details=lambda _: details)
    run(address, script, scenario)


def test_deleting_what_is_not_there(address: str) -> None:
    async def scenario(session: Session) -> None:
        delete = session.table("connections").deleter()((1,))
        with pytest.raises(WriteFailed, match=r"connections\(digest=0x00000001\): NOT_FOUND"):
            await session.write([delete])
        await session.write([delete], ignore_missing=True)

    run(address, Script(), scenario)


def test_a_request_refused_as_a_whole_keeps_the_connection(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        script.refusals["Write"] = grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(Refused, match="write of 1 updates: PERMISSION_DENIED: Write is refused") as caught:
            await session.write(connections(session, 1))
        assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED
        script.refusals.clear()
        await session.write(connections(session, 1))
        assert len(script.subscriptions) == 1

    run(address, script, scenario)


def test_no_answer_in_time_ends_the_connection(address: str) -> None:
    script, stuck = Script(), asyncio.Event()

    async def scenario(session: Session) -> None:
        again = asyncio.Event()

        async def reconnected() -> None:
            again.set()

        session.on_reconnect(reconnected)
        script.before_write = stuck.wait
        with pytest.raises(Unavailable, match="DEADLINE_EXCEEDED"):
            await session.write(connections(session, 1), timeout=0.05)
        await again.wait()
        script.before_write = None
        await session.write(connections(session, 2))
        assert await digests(session) == [2]
        assert len(script.subscriptions) == 2

    run(address, script, scenario)


def test_the_server_is_told_how_long_a_write_may_take(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        await session.write(connections(session, 1), timeout=2.25)

    run(address, script, scenario)
    assert script.metadata[0]["deadline_sec"] == "2"
    assert script.metadata[0]["deadline_nsec"] == "999999999"


def test_reads_name_what_they_wanted(address: str) -> None:
    async def scenario(session: Session) -> None:
        await session.write(connections(session, 1))
        with pytest.raises(ReadFailed, match=r"read failed: connections\(digest=0x00000002\): NOT_FOUND"):
            await session.table("connections").get_many([(1,), (2,)])

    run(address, Script(), scenario)


def test_the_default_entry(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        routes = session.table("routes")
        await session.write([routes.set_default("via", (3,)), routes.reset_default()])
        default = await routes.default()
        assert default is not None
        assert default.key == ()
        assert [entry async for entry in routes.entries()] == []

    run(address, script, scenario)
    modify, delete = script.writes[0].updates
    assert (modify.type, delete.type) == (pb.Update.MODIFY, pb.Update.DELETE)
    for update in (modify, delete):
        assert update.entity.table_entry.is_default_entry
        assert not update.entity.table_entry.HasField("key")


def test_modify_leaves_ageing_and_counters_alone_unless_told(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        aged = session.table("aged")
        await session.write(
            [
                aged.modify((1,), "NoAction", (), {"$ENTRY_TTL": 1}),
                aged.modify((1,), None, (), {"$ENTRY_TTL": 1}, reset_ttl=True, reset_stats=True),
                aged.insert_or_modify((1,), "NoAction"),
            ]
        )

    run(address, script, scenario)
    flags = [update.entity.table_entry.table_flags for update in script.writes[0].updates]
    assert [(each.reset_ttl, each.reset_stats) for each in flags] == [(False, False), (True, True), (False, False)]
    assert script.writes[0].updates[1].entity.table_entry.data.action_id == 0


def test_attributes_and_operations(address: str) -> None:
    wanted = IdleTimeout(interval=100, least=10, most=1000)
    answered = pb.TableAttribute(table_id=0x02000005, idle_table=wanted.message())
    script = Script(answer=lambda _: [pb.Entity(table_attribute=answered)])

    async def scenario(session: Session) -> None:
        aged = session.table("aged")
        await aged.set_idle_timeout(wanted)
        assert await aged.idle_timeout() == wanted
        await aged.operate("UpdateHitState")
        with pytest.raises(SchemaError, match="no operation 'SyncCounters'; there are: UpdateHitState"):
            await aged.operate("SyncCounters")
        with pytest.raises(SchemaError, match="no attribute IdleTimeout"):
            await session.table("vips").set_idle_timeout(wanted)

    run(address, script, scenario)
    attribute, operation = (request.updates[0].entity for request in script.writes)
    assert attribute.table_attribute.idle_table.idle_table_mode == pb.IdleTable.IDLE_TABLE_NOTIFY_MODE
    assert operation.table_operation.table_operations_type == "UpdateHitState"


def test_a_port_is_added_once(address: str) -> None:
    script = Script()

    async def scenario(session: Session) -> None:
        assert await add_port(session, 132, "25g", "rs")
        assert not await add_port(session, 132, "100G")
        with pytest.raises(SchemaError, match="BF_SPEED_100G"):
            await add_port(session, 133, "7G")
        with pytest.raises(SchemaError, match="BF_FEC_TYP_NONE"):
            await add_port(session, 133, "25G", "LDPC")
        # Another client adds it between our look and our write.
        script.fail = lambda _: error(grpc.StatusCode.ALREADY_EXISTS)
        assert not await add_port(session, 133, "10G")
        script.fail = lambda _: error(grpc.StatusCode.INVALID_ARGUMENT)
        with pytest.raises(WriteFailed, match=r"\$PORT\(\$DEV_PORT=0x00000086\): INVALID_ARGUMENT"):
            await add_port(session, 134, "10G")

    run(address, script, scenario)
    fields = {each.field_id: each for each in script.writes[0].updates[0].entity.table_entry.data.fields}
    assert fields[1].str_val == "BF_SPEED_25G"
    assert fields[2].str_val == "BF_FEC_TYP_REED_SOLOMON"
    assert fields[4].bool_val is True


def test_lists_of_a_fixed_table(address: str) -> None:
    async def scenario(session: Session) -> None:
        port = session.table("$PORT")
        await session.write([port.insert((1,), fields={"lanes": [1, 2]}), port.insert((2,), fields={"lanes": []})])
        assert [entry.fields async for entry in port.entries()] == [{"lanes": (1, 2)}, {"lanes": ()}]

    run(address, Script(), scenario)


KEY = pb.TableKey(fields=[pb.KeyField(field_id=1, exact=pb.KeyField.Exact(value=bytes(4)))])
ANSWERS = {
    "key too short": pb.TableEntry(
        key=pb.TableKey(fields=[pb.KeyField(field_id=1, exact=pb.KeyField.Exact(value=bytes(3)))])
    ),
    "key field missing": pb.TableEntry(key=pb.TableKey()),
    "action unknown": pb.TableEntry(key=KEY, data=pb.TableData(action_id=99)),
    "field unknown": pb.TableEntry(key=KEY, data=pb.TableData(fields=[pb.DataField(field_id=77)])),
    "parameter missing": pb.TableEntry(key=KEY, data=pb.TableData(action_id=0x01000003)),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_against_the_schema_is_an_error(address: str, name: str) -> None:
    async def scenario(session: Session) -> None:
        with pytest.raises(ProtocolError, match=r"^pipe\.Ingress\.connections: "):
            await digests(session)

    run(address, Script(answer=lambda _: [pb.Entity(table_entry=ANSWERS[name])]), scenario)


def test_a_table_larger_than_the_default_limit_of_a_message(address: str) -> None:
    async def scenario(session: Session) -> None:
        filter_, number = session.table("Ingress.policy.filter"), 60_000
        key = (Ternary(1, 2), Range(80, 90), 3, 4)
        entity = filter_.insert(key, "NoAction").message.entity
        script.answer = lambda _: [entity] * number
        assert entity.ByteSize() * number > 4 << 20
        assert [entry.key async for entry in filter_.entries()] == [key] * number

    run(address, script := Script(), scenario)


def test_under_uvloop(address: str) -> None:
    async def main() -> None:
        async with serving(Script(), address), await Session.open(address, documents.PROGRAM) as session:
            await session.write(connections(session, 1, 2))
            assert await digests(session) == [1, 2]

    uvloop.run(main())
