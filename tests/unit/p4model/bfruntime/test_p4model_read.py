"""Read: one response, the default entry last, counters, registers, usage and attributes."""

from __future__ import annotations

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.p4model.bfruntime.program import (
    CONNECTIONS,
    DECISIONS,
    FLOWS,
    ONLY_DEFAULT,
    SEEN,
    SET,
    SPLICED,
    TRAFFIC,
)
from tests.unit.p4model.bfruntime.rig import Rig, exact, numbers, only_part, parts, run, stream
from tests.unit.p4model.calls import refusal

INSERT, MODIFY, DELETE = pb.Update.INSERT, pb.Update.MODIFY, pb.Update.DELETE
INVALID, NOT_FOUND, UNSUPPORTED = 3, 5, 12
BYTES, PACKETS = 65553, 65554
FROM_HARDWARE = pb.TableFlags(from_hw=True)


def _key(digest: int) -> list[pb.KeyField]:
    return exact((digest, 4), (0, 1))


def _at(field_id: int, index: int) -> list[pb.KeyField]:
    return [pb.KeyField(field_id=field_id, exact=pb.KeyField.Exact(value=index.to_bytes(4)))]


def _register(index: int) -> list[pb.KeyField]:
    return _at(65557, index)


def _counter(index: int) -> list[pb.KeyField]:
    return _at(65556, index)


async def _fill(rig: Rig) -> None:
    await rig.write(
        (INSERT, rig.entry(CONNECTIONS, _key(1), SPLICED, [stream(1, 5, 4), stream(3, 9, 2)])),
        (INSERT, rig.entry(CONNECTIONS, _key(2), SET, [stream(1, 3, 2)])),
        (INSERT, rig.entry(CONNECTIONS, _key(3), SPLICED)),
    )


def test_one_entry() -> None:
    async def scenario(rig: Rig) -> None:
        await _fill(rig)
        (read,) = await rig.read(rig.entry(CONNECTIONS, _key(1)))
        assert list(read.key.fields) == _key(1)
        assert read.data.action_id == rig.schema.actions[SPLICED]
        assert list(read.data.fields) == [stream(1, 5, 4), stream(2, 0, 1), stream(3, 9, 2)]
        assert not read.HasField("entry_tgt")

        (read,) = await rig.read(rig.entry(CONNECTIONS, _key(1), SPLICED, [pb.DataField(field_id=3)]))
        assert list(read.data.fields) == [stream(3, 9, 2)]

    run(scenario)


def test_refusals() -> None:
    async def scenario(rig: Rig) -> None:
        await _fill(rig)
        for entry, code in (
            (rig.entry(CONNECTIONS, _key(9)), NOT_FOUND),
            (rig.entry(CONNECTIONS, _key(1), SET), INVALID),
            (rig.entry(CONNECTIONS, exact((1, 3))), INVALID),
            (pb.TableEntry(table_id=1), NOT_FOUND),
            (rig.entry(CONNECTIONS, handle_id=1), UNSUPPORTED),
            (rig.entry(TRAFFIC, _counter(4)), INVALID),
            (rig.entry(SEEN, _counter(1)), INVALID),
            (rig.entry(SEEN, is_default_entry=True), UNSUPPORTED),
        ):
            assert (await only_part(rig.read(entry)))[0] == code, entry
        error = await refusal(rig.read(*(rig.entry(CONNECTIONS, _key(key)) for key in (1, 9, 2))))
        assert error.details() == "Read Error Status"
        assert [part.canonical_code for part in parts(error)] == [0, NOT_FOUND]

    run(scenario)


def test_errors_in_the_response() -> None:
    async def scenario(rig: Rig) -> None:
        await _fill(rig)
        entities = [pb.Entity(table_entry=rig.entry(CONNECTIONS, _key(key))) for key in (9, 1)]
        (response,) = await rig.responses(*entities, metadata=[("error_in_resp", "1")])
        assert [part.canonical_code for part in response.status] == [NOT_FOUND, 0]
        assert len(response.entities) == 1

    run(scenario)


def test_all_entries_come_in_one_response_with_the_default_last() -> None:
    async def scenario(rig: Rig) -> None:
        (empty,) = await rig.read(rig.entry(CONNECTIONS))
        assert empty.is_default_entry
        assert not empty.HasField("key")
        await _fill(rig)
        every = await rig.read(rig.entry(CONNECTIONS))
        assert [entry.is_default_entry for entry in every] == [False, False, False, True]
        assert sorted(numbers(entry.data).get(1, 0) for entry in every[:-1]) == [0, 3, 5]
        assert await rig.read(rig.entry(CONNECTIONS, is_default_entry=True)) == every[-1:]
        # An entry of another action behind the first that fits is bare.
        spliced = await rig.read(rig.entry(CONNECTIONS, None, SPLICED))
        assert [entry.HasField("data") for entry in spliced] == [True, False, True, True]
        assert await rig.usage(CONNECTIONS) == 3

    run(scenario)


def test_constant_entries_can_be_read() -> None:
    async def scenario(rig: Rig) -> None:
        first, second, default = await rig.read(rig.entry(DECISIONS))
        assert [numbers(entry.data) for entry in (first, second, default)] == [{1: 7}, {1: 8}, {}]
        assert [int.from_bytes(entry.key.fields[1].exact.value) for entry in (first, second)] == [1, 2]

    run(scenario)


def test_many_entries_in_one_response() -> None:
    async def scenario(rig: Rig) -> None:
        (response,) = await rig.responses(*(pb.Entity(table_entry=rig.entry(name)) for name in (CONNECTIONS, SEEN)))
        assert len(response.entities) == 1 + 4

    run(scenario)


def test_the_target_of_an_entry_is_told() -> None:
    async def scenario(rig: Rig) -> None:
        target = pb.TargetDevice(pipe_id=0, direction=0xFF)
        (read,) = await rig.read(rig.entry(CONNECTIONS, is_default_entry=True, entry_tgt=target))
        assert read.entry_tgt == target

    run(scenario)


def test_a_direct_counter() -> None:
    async def scenario(rig: Rig) -> None:
        table, key = rig.device.state.table(FLOWS), exact((5, 2))
        plain, hardware = rig.entry(FLOWS, key), rig.entry(FLOWS, key, table_flags=FROM_HARDWARE)

        async def counts(entry: pb.TableEntry) -> tuple[int, int]:
            read = numbers((await rig.read(entry))[0].data)
            return read[PACKETS], read[BYTES]

        await rig.write((INSERT, rig.entry(FLOWS, key, SET)))
        assert await counts(plain) == (0, 0)
        table.lookup_counted((5,), 100)
        table.lookup_counted((5,), 50)
        assert await counts(plain) == (0, 0)
        assert await counts(hardware) == (2, 150)
        await _operate(rig, FLOWS, "SyncCounters")
        assert await counts(plain) == (2, 150)

        await rig.write((MODIFY, rig.entry(FLOWS, key, SET, [stream(1, 4, 2)])))
        assert await counts(hardware) == (2, 150)
        await rig.write((MODIFY, rig.entry(FLOWS, key, None, [stream(PACKETS, 7, 8)])))
        assert await counts(hardware) == (7, 150)
        assert table.lookup_counted((5,), 1) == (True, 0, (4,))
        await rig.write((MODIFY, rig.entry(FLOWS, key, SET, table_flags=pb.TableFlags(reset_stats=True))))
        assert await counts(plain) == (0, 0)

        table.lookup_counted((9,), 60)
        (default,) = await rig.read(rig.entry(FLOWS, is_default_entry=True, table_flags=FROM_HARDWARE))
        assert numbers(default.data) == {PACKETS: 1, BYTES: 60}
        assert default.data.action_id == rig.schema.actions[ONLY_DEFAULT]

    run(scenario)


def test_an_indirect_counter() -> None:
    async def scenario(rig: Rig) -> None:
        counter = rig.device.state.counter(TRAFFIC)
        counter.count(1, 64)
        counter.count(1, 36)
        counter.count(99, 1)
        plain, hardware = rig.entry(TRAFFIC, _counter(1)), rig.entry(TRAFFIC, _counter(1), table_flags=FROM_HARDWARE)
        assert numbers((await rig.read(plain))[0].data) == {PACKETS: 0, BYTES: 0}
        assert numbers((await rig.read(hardware))[0].data) == {PACKETS: 2, BYTES: 100}
        for operation in ("Sync", "SyncCounters"):
            await _operate(rig, TRAFFIC, operation)
        every = await rig.read(rig.entry(TRAFFIC))
        assert [numbers(entry.data)[PACKETS] for entry in every] == [0, 2, 0, 0]
        assert every[1].key.fields[0] == _counter(1)[0]

        await rig.write((INSERT, rig.entry(TRAFFIC, _counter(1), None, [stream(BYTES, 5, 8)])))
        assert numbers((await rig.read(plain))[0].data) == {PACKETS: 2, BYTES: 5}
        other_pipe = rig.entry(TRAFFIC, _counter(1), entry_tgt=pb.TargetDevice(pipe_id=1))
        assert numbers((await rig.read(other_pipe))[0].data) == {PACKETS: 0, BYTES: 0}
        await rig.write((DELETE, rig.entry(TRAFFIC)))
        assert numbers((await rig.read(hardware))[0].data) == {PACKETS: 0, BYTES: 0}
        assert (await only_part(rig.write((DELETE, rig.entry(TRAFFIC, _counter(1))))))[0] == UNSUPPORTED

    run(scenario)


def test_a_register_has_a_value_per_pipe() -> None:
    async def scenario(rig: Rig) -> None:
        register = rig.device.state.register(SEEN)
        register.write(2, (0xFFFF0001,))
        hardware = rig.entry(SEEN, _register(2), table_flags=FROM_HARDWARE)
        (read,) = await rig.read(hardware)
        assert list(read.data.fields) == [stream(1, 0xFFFF0001, 4), *[stream(1, 0, 4)] * 3]
        for pipe, value in ((0, 0xFFFF0001), (3, 0)):
            hardware.entry_tgt.CopyFrom(pb.TargetDevice(pipe_id=pipe))
            assert list((await rig.read(hardware))[0].data.fields) == [stream(1, value, 4)]

        plain = rig.entry(SEEN, _register(2))
        assert numbers_of_pipe_0(await rig.read(plain)) == [0]
        await _operate(rig, SEEN, "Sync")
        assert numbers_of_pipe_0(await rig.read(rig.entry(SEEN))) == [0, 0, 0xFFFF0001, 0]
        await rig.write((MODIFY, rig.entry(SEEN, _register(2), None, [stream(1, 8, 4)])))
        assert register.read(2) == (8,)
        assert numbers_of_pipe_0(await rig.read(plain)) == [8]
        await rig.write((DELETE, rig.entry(SEEN)))
        assert register.read(2) == (0,)
        assert (await only_part(rig.write((MODIFY, rig.entry(SEEN, _register(4))))))[0] == INVALID

    run(scenario)


def test_registers_and_counters_roll_back() -> None:
    async def scenario(rig: Rig) -> None:
        register, counter = rig.device.state.register(SEEN), rig.device.state.counter(TRAFFIC)
        register.write(1, (5,))
        counter.count(1, 9)
        await refusal(
            rig.write(
                (MODIFY, rig.entry(SEEN, _register(1), None, [stream(1, 8, 4)])),
                (DELETE, rig.entry(SEEN)),
                (MODIFY, rig.entry(TRAFFIC, _counter(1), None, [stream(PACKETS, 8, 8)])),
                (DELETE, rig.entry(TRAFFIC)),
                (DELETE, rig.entry(CONNECTIONS, _key(1))),
                atomicity=pb.WriteRequest.ROLLBACK_ON_ERROR,
            )
        )
        assert register.read(1) == (5,)
        assert counter.read(1, from_hardware=True) == (1, 9)

    run(scenario)


def test_what_cannot_be_read() -> None:
    async def scenario(rig: Rig) -> None:
        operation = pb.TableOperation(table_id=rig.ids[TRAFFIC], table_operations_type="Sync")
        error = await refusal(rig.responses(pb.Entity(table_operation=operation)))
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert (await only_part(rig.responses(pb.Entity())))[0] == UNSUPPORTED
        assert (await only_part(_operate(rig, CONNECTIONS, "SyncCounters")))[0] == UNSUPPORTED

    run(scenario)


def test_entries_are_those_of_all_pipes() -> None:
    async def scenario(rig: Rig) -> None:
        asked = pb.TableAttribute(table_id=rig.ids[CONNECTIONS], entry_scope=pb.EntryScope())
        (response,) = await rig.responses(pb.Entity(table_attribute=asked))
        scope = response.entities[0].table_attribute.entry_scope
        assert (scope.gress_scope.predef, scope.pipe_scope.predef) == (pb.Mode.ALL, pb.Mode.ALL)
        single = pb.EntryScope(pipe_scope=pb.Mode(predef=pb.Mode.SINGLE))
        asked.entry_scope.CopyFrom(single)
        assert (await only_part(rig.write(pb.Update(type=INSERT, entity=pb.Entity(table_attribute=asked)))))[
            0
        ] == UNSUPPORTED

    run(scenario)


def numbers_of_pipe_0(entries: list[pb.TableEntry]) -> list[int]:
    return [int.from_bytes(entry.data.fields[0].stream) for entry in entries]


async def _operate(rig: Rig, table: str, operation: str) -> None:
    made = pb.TableOperation(table_id=rig.ids[table], table_operations_type=operation)
    await rig.write(pb.Update(type=INSERT, entity=pb.Entity(table_operation=made)))
