"""Subscribing, binding, digests, idle and port notifications."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client, Clients, Responses
from p4model.bfruntime.learning import Learning
from p4model.bfruntime.tables import ports
from tests.unit.p4model.bfruntime.program import CONNECTIONS, ENDED, FLOWS, SET, SPLICED
from tests.unit.p4model.bfruntime.rig import (
    NAME,
    Rig,
    Stream,
    exact,
    only_part,
    run,
    stream,
    subscription,
)
from tests.unit.p4model.calls import refusal

INSERT, MODIFY = pb.Update.INSERT, pb.Update.MODIFY
INVALID, EXISTS, UNSUPPORTED = 3, 6, 12
_Request = pb.SetForwardingPipelineConfigRequest


def _splice(rig: Rig, digest: int) -> pb.Update:
    entry = rig.entry(CONNECTIONS, exact((digest, 4), (0, 1)), SPLICED)
    return pb.Update(type=INSERT, entity=pb.Entity(table_entry=entry))


def _idle(rig: Rig, interval: int) -> pb.Update:
    mode = pb.IdleTable.IDLE_TABLE_NOTIFY_MODE
    idle = pb.IdleTable(ttl_query_interval=interval, idle_table_mode=mode, enable=True)
    attribute = pb.TableAttribute(table_id=rig.ids[FLOWS], idle_table=idle)
    return pb.Update(type=INSERT, entity=pb.Entity(table_attribute=attribute))


def test_a_client_id_is_taken_until_its_stream_ends() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.subscribed(7):
            second = Stream(rig.stub)
            await second.send(subscription(7))
            assert await second.code() is grpc.StatusCode.INVALID_ARGUMENT
            async with rig.subscribed(0):
                pass
        async with rig.subscribed(7):
            pass

    run(scenario)


def test_a_stream_that_is_cut_frees_the_id_and_keeps_the_entries() -> None:
    async def scenario(rig: Rig) -> None:
        first = Stream(rig.stub)
        await first.send(subscription(7))
        await first.receive()
        await rig.bind(7)
        await rig.write(_splice(rig, 1), p4_name="")
        first.call.cancel()
        async with asyncio.timeout(10):
            while True:
                again = Stream(rig.stub)
                await again.send(subscription(7))
                if isinstance(await again.call.read(), pb.StreamMessageResponse):
                    break
        await rig.bind(7)
        assert await rig.usage(CONNECTIONS) == 1
        await again.close()

    run(scenario)


def test_who_may_write() -> None:
    async def scenario(rig: Rig) -> None:
        async def code(digest: int, p4_name: str, device: int = 0) -> grpc.StatusCode | None:
            target = pb.TargetDevice(device_id=device, pipe_id=0xFFFF)
            try:
                await rig.write(_splice(rig, digest), p4_name=p4_name, target=target)
            except grpc.aio.AioRpcError as error:
                assert not error.trailing_metadata()
                return error.code()
            return None

        assert await code(1, NAME) is None
        assert await code(2, "") is grpc.StatusCode.NOT_FOUND
        assert await code(2, "another") is grpc.StatusCode.NOT_FOUND
        assert await code(2, NAME, device=1) is grpc.StatusCode.INVALID_ARGUMENT
        async with rig.subscribed(7):
            assert await code(2, "") is grpc.StatusCode.UNKNOWN
            assert await code(2, NAME) is None
            await rig.bind(7)
            assert await code(3, "") is None

    run(scenario)


def test_binding() -> None:
    async def scenario(rig: Rig) -> None:
        async def code(client: int, name: str = NAME) -> grpc.StatusCode:
            return (await refusal(rig.bind(client, name))).code()

        assert await code(7) is grpc.StatusCode.UNAVAILABLE
        async with rig.subscribed(7), rig.subscribed(8):
            assert await code(7, "another") is grpc.StatusCode.NOT_FOUND
            await rig.bind(7)
            assert await code(7) is grpc.StatusCode.ALREADY_EXISTS
            assert await code(8) is grpc.StatusCode.ALREADY_EXISTS
        async with rig.subscribed(8):
            await rig.bind(8)

    run(scenario)


@pytest.mark.parametrize(
    ("action", "configs", "code"),
    [
        (_Request.BIND, [], grpc.StatusCode.INVALID_ARGUMENT),
        (_Request.BIND, [pb.ForwardingPipelineConfig(p4_name=NAME)] * 2, grpc.StatusCode.INVALID_ARGUMENT),
        (
            _Request.BIND,
            [pb.ForwardingPipelineConfig(p4_name=NAME, bfruntime_info=b"{}")],
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (_Request.VERIFY, [], None),
        (_Request.VERIFY_AND_WARM_INIT_BEGIN_AND_END, [], grpc.StatusCode.UNIMPLEMENTED),
        (_Request.RECONCILE_AND_WARM_INIT_END, [], grpc.StatusCode.UNIMPLEMENTED),
    ],
)
def test_other_configurations(
    action: _Request.Action, configs: list[pb.ForwardingPipelineConfig], code: grpc.StatusCode | None
) -> None:
    async def scenario(rig: Rig) -> None:
        request = pb.SetForwardingPipelineConfigRequest(client_id=7, action=action, config=configs)
        call = rig.stub.SetForwardingPipelineConfig(request)
        async with rig.subscribed(7):
            if code is None:
                await call
            else:
                assert (await refusal(call)).code() is code

    run(scenario)


def test_digests_go_to_the_bound_learner_in_batches() -> None:
    async def scenario(rig: Rig) -> None:
        other, first, second = b"\0\0\0\0\x01", b"\x0a\0\0\x01\x3f", b"\x0a\0\0\x02\x04"
        async with rig.subscribed(7, enable_learn_notifications=True) as messages:
            async with rig.subscribed(8, enable_learn_notifications=True) as bound:
                await rig.bind(8)
                rig.device.process(1, other)
                assert (await bound.receive()).digest.data
            await rig.bind(7)
            rig.device.process(1, first + second)
            # Packets may be processed by another thread.
            await asyncio.to_thread(rig.device.process, 1, first)
            learned: list[pb.TableData] = []
            while len(learned) < 3:
                digest = (await messages.receive()).digest
                assert digest.digest_id == rig.schema.digests["pipe.IngressDeparser.ended"]
                assert (digest.list_id, digest.target.pipe_id, digest.target.prsr_id) == (0, 0, 0xFF)
                learned += digest.data
            assert [list(data.fields) for data in learned] == [
                [stream(1, 0x0A000001, 4), stream(2, 0x3F, 1)],
                [stream(1, 0x0A000002, 4), stream(2, 4, 1)],
                [stream(1, 0x0A000001, 4), stream(2, 0x3F, 1)],
            ]

    run(scenario)


def test_digests_are_lost_without_a_bound_learner() -> None:
    async def scenario(rig: Rig) -> None:
        clients, loop = Clients(), asyncio.get_running_loop()
        learning = Learning(rig.schema, clients, 0)
        client = clients.subscribe(7, pb.Notifications(enable_learn_notifications=True), Responses())
        assert client is not None
        for bound in (False, True):
            client.bound = bound
            learning.hear([(ENDED, (1, 2))] * 2049)
            # Behind the flush, which the digests have put behind themselves.
            flushed = loop.create_future()
            loop.call_soon(loop.call_later, 0, flushed.set_result, None)
            await flushed
            assert len(client.outgoing) == (2 if bound else 0)

    run(scenario)


def test_large_client_ids_hear_nothing() -> None:
    async def scenario() -> None:
        for id_, told in ((0xFFFFFF, 1), (0x1000000, 0)):
            client = Client(id_, pb.Notifications())
            client.notify(pb.StreamMessageResponse())
            assert len(client.outgoing) == told

    asyncio.run(scenario())


def test_acknowledging_digests_ends_the_stream_and_keeps_the_id() -> None:
    async def scenario(rig: Rig) -> None:
        first = Stream(rig.stub)
        await first.send(subscription(7))
        await first.receive()
        await first.send(pb.StreamMessageRequest(client_id=7, digest_ack=pb.DigestListAck(digest_id=1)))
        assert await first.code() is grpc.StatusCode.UNIMPLEMENTED
        second = Stream(rig.stub)
        await second.send(subscription(7))
        assert await second.code() is grpc.StatusCode.INVALID_ARGUMENT

    run(scenario)


def test_idle_timeouts_poll_at_first() -> None:
    async def scenario(rig: Rig) -> None:
        key = exact((5, 2))
        with_ttl = rig.entry(FLOWS, key, SET, [stream(65543, 100, 4)])
        assert (await only_part(rig.write((INSERT, with_ttl))))[0] == UNSUPPORTED
        await rig.write((INSERT, rig.entry(FLOWS, key, SET)))

        async def state() -> str:
            (read,) = await rig.read(rig.entry(FLOWS, key))
            return next(field.str_val for field in read.data.fields if field.field_id == 65544)

        update = pb.TableOperation(table_id=rig.ids[FLOWS], table_operations_type="UpdateHitState")
        for hit, expected in ((True, "ENTRY_ACTIVE"), (False, "ENTRY_IDLE")):
            if hit:
                rig.device.state.table(FLOWS).lookup_counted((5,), 64)
            await rig.write(pb.Update(type=INSERT, entity=pb.Entity(table_operation=update)))
            assert await state() == expected

    run(scenario)


def test_idle_timeouts_are_refused() -> None:
    async def scenario(rig: Rig) -> None:
        assert (await only_part(rig.write(_idle(rig, 20))))[0] == INVALID
        async with rig.subscribed(7, enable_idletimeout_notifications=True):
            assert (await only_part(rig.write(_idle(rig, 0))))[0] == INVALID
            assert (await only_part(rig.write(_idle(rig, 5))))[0] == UNSUPPORTED
            await rig.write((INSERT, rig.entry(FLOWS, exact((5, 2)), SET)))
            assert (await only_part(rig.write(_idle(rig, 20))))[0] == UNSUPPORTED
            await rig.write((pb.Update.DELETE, rig.entry(FLOWS)))
            await rig.write(_idle(rig, 20))
            short = rig.entry(FLOWS, exact((5, 2)), SET, [stream(65543, 19, 4)])
            assert (await only_part(rig.write((INSERT, short))))[0] == INVALID

    run(scenario)


def test_idle_entries_are_told_and_stay() -> None:
    async def scenario(rig: Rig) -> None:
        wants = {"enable_idletimeout_notifications": True, "enable_entry_active_notifications": True}
        async with rig.subscribed(7, **wants) as messages:
            await rig.write(_idle(rig, 20))
            key = exact((5, 2))
            await rig.write(
                (INSERT, rig.entry(FLOWS, key, SET, [stream(65543, 40, 4)])),
                (INSERT, rig.entry(FLOWS, exact((6, 2)), SET)),
            )
            idle = (await messages.receive()).idle_timeout_notification
            assert idle.type == pb.IdleTimeoutNotification.ENTRY_IDLE
            assert idle.table_entry.table_id == rig.ids[FLOWS]
            assert list(idle.table_entry.key.fields) == key
            assert not idle.table_entry.HasField("data")
            assert await rig.usage(FLOWS) == 2
            rig.device.state.table(FLOWS).lookup_counted((5,), 64)
            active = (await messages.receive()).idle_timeout_notification
            assert active.type == pb.IdleTimeoutNotification.ENTRY_ACTIVE
            (read,) = await rig.read(rig.entry(FLOWS, key))
            assert 65544 not in [field.field_id for field in read.data.fields]
            asked = pb.TableAttribute(table_id=rig.ids[FLOWS], idle_table=pb.IdleTable())
            (response,) = await rig.responses(pb.Entity(table_attribute=asked))
            told = response.entities[0].table_attribute.idle_table
            assert (told.ttl_query_interval, told.enable, told.max_ttl) == (20, True, 0xFFFFFFFF)

    run(scenario)


def test_a_time_to_live_is_kept_or_lost_with_the_fields_of_a_change() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.subscribed(7, enable_idletimeout_notifications=True):
            # An interval beyond the test's length: nothing counts down meanwhile.
            await rig.write(_idle(rig, 1_000_000))
            key, ttl = exact((5, 2)), stream(65543, 3_000_000, 4)

            async def left() -> int:
                (read,) = await rig.read(rig.entry(FLOWS, key, None, [pb.DataField(field_id=65543)]))
                return int.from_bytes(read.data.fields[0].stream)

            await rig.write((INSERT, rig.entry(FLOWS, key, SET, [ttl])))
            rig.device.state.table(FLOWS).aging.sweep()
            assert await left() == 2_000_000
            for fields, flags, expected in (
                ([stream(1, 5, 2)], pb.TableFlags(), 2_000_000),
                ([stream(1, 5, 2)], pb.TableFlags(reset_ttl=True), 3_000_000),
                ([], pb.TableFlags(), 0),
                ([ttl], pb.TableFlags(), 3_000_000),
            ):
                await rig.write((MODIFY, rig.entry(FLOWS, key, SET, fields, table_flags=flags)))
                assert await left() == expected

    run(scenario)


def _port(number: int, *fields: pb.DataField) -> pb.TableEntry:
    key = pb.TableKey(fields=exact((number, 4)))
    return pb.TableEntry(table_id=ports.ID, key=key, data=pb.TableData(fields=fields))


_SPEED = pb.DataField(field_id=1, str_val="BF_SPEED_25G")
_FEC = pb.DataField(field_id=2, str_val="BF_FEC_TYP_RS")
_UP = 25


def _enable(on: bool) -> pb.DataField:
    return pb.DataField(field_id=4, bool_val=on)


def test_ports_are_added_and_go_up() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.subscribed(7, enable_port_status_change_notifications=True) as messages:
            notify = pb.TableAttribute(table_id=ports.ID, port_status_notify=pb.PortStatusChg(enable=True))
            await rig.write(pb.Update(type=INSERT, entity=pb.Entity(table_attribute=notify)))
            await rig.write((INSERT, _port(9, _SPEED, _FEC)))
            await rig.write((MODIFY, _port(9, _enable(True))))
            told = (await messages.receive()).port_status_change_notification
            assert told.port_up
            assert list(told.table_entry.key.fields) == exact((9, 4))
            (read,) = await rig.read(_port(9))
            values = {field.field_id: field for field in read.data.fields}
            assert values[1] == _SPEED
            assert values[_UP].bool_val
            await rig.write((MODIFY, _port(9, _enable(False))))
            assert not (await messages.receive()).port_status_change_notification.port_up

    run(scenario)


def test_ports_that_the_device_has_from_the_start() -> None:
    async def scenario(rig: Rig) -> None:
        assert (await only_part(rig.write((INSERT, _port(64, _SPEED, _FEC)))))[0] == EXISTS
        read = await rig.read(pb.TableEntry(table_id=ports.ID))
        assert [int.from_bytes(entry.key.fields[0].exact.value) for entry in read] == [1, 64]
        assert await rig.write((pb.Update.DELETE, pb.TableEntry(table_id=ports.ID))) == pb.WriteResponse()
        await rig.write((INSERT, _port(64, _SPEED, _FEC)))

    run(scenario, ports=(64, 1))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (_port(9, _SPEED), "port 9 needs $FEC"),
        (_port(9, _FEC), "port 9 needs $SPEED"),
        (_port(9, pb.DataField(field_id=1, str_val="25G"), _FEC), "$SPEED cannot be '25G'"),
        (_port(9, _SPEED, _FEC, pb.DataField(field_id=_UP, bool_val=True)), "has no field of id 25 to write"),
        (_port(72, _SPEED, _FEC), "there is no device port 72"),
        (_port(512, _SPEED, _FEC), "there is no device port 512"),
    ],
)
def test_ports_that_are_refused(entry: pb.TableEntry, told: str) -> None:
    async def scenario(rig: Rig) -> None:
        code, message = await only_part(rig.write((INSERT, entry)))
        assert code == INVALID
        assert told in message

    run(scenario)


def test_ports_take_no_part_in_transactions() -> None:
    async def scenario(rig: Rig) -> None:
        assert (
            await only_part(rig.write((INSERT, _port(9, _SPEED, _FEC)), atomicity=pb.WriteRequest.ROLLBACK_ON_ERROR))
        )[0] == UNSUPPORTED

    run(scenario)
