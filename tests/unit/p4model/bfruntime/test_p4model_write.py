"""Write: each update on each state of a table, batches, and how refusals travel."""

from __future__ import annotations

import grpc
import pytest

from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.p4model.bfruntime.program import (
    CONNECTIONS,
    DECISIONS,
    FLOWS,
    KEYLESS,
    NOTHING,
    ONLY_DEFAULT,
    ONLY_ENTRIES,
    ROUTES,
    RULES,
    SET,
    SPLICED,
)
from tests.unit.p4model.bfruntime.rig import Rig, exact, numbers, only_part, parts, run, stream
from tests.unit.p4model.calls import refusal

INSERT, MODIFY, DELETE = pb.Update.INSERT, pb.Update.MODIFY, pb.Update.DELETE
INSERT_OR_MODIFY, MODIFY_INC, RESET = pb.Update.INSERT_OR_MODIFY, pb.Update.MODIFY_INC, pb.Update.RESET
CONTINUE, ROLLBACK = pb.WriteRequest.CONTINUE_ON_ERROR, pb.WriteRequest.ROLLBACK_ON_ERROR
DATAPLANE = pb.WriteRequest.DATAPLANE_ATOMIC

INVALID, NOT_FOUND, EXISTS, FULL, UNSUPPORTED = 3, 5, 6, 8, 12

_VALUES = [stream(1, 0x01020304, 4), stream(2, 1, 1), stream(3, 0x7FFF, 2)]


def _key(digest: int, side: int = 0) -> list[pb.KeyField]:
    return exact((digest, 4), (side, 1))


def _connection(rig: Rig, digest: int, delta: int = 1) -> pb.TableEntry:
    return rig.entry(CONNECTIONS, _key(digest), SPLICED, [stream(1, delta, 4)])


def test_an_entry_is_what_packets_find() -> None:
    async def scenario(rig: Rig) -> None:
        response = await rig.write((INSERT, rig.entry(CONNECTIONS, _key(9, 1), SPLICED, _VALUES)))
        assert response == pb.WriteResponse()
        table = rig.device.state.table(CONNECTIONS)
        assert table.lookup((9, 1)) == (True, 0, (0x01020304, 1, 0x7FFF))
        assert table.lookup((9, 0)) == (False, 2, ())

    run(scenario)


def test_what_is_left_out_is_zero() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write((INSERT, rig.entry(CONNECTIONS, exact((9, 4)), SPLICED, [stream(3, 5, 2)])))
        assert rig.device.state.table(CONNECTIONS).lookup((9, 0)) == (True, 0, (0, 0, 5))

    run(scenario)


@pytest.mark.parametrize(
    ("key", "values", "told"),
    [
        (exact((1, 3)), [], "key field digest: 3 bytes are given, 32 bits take 4"),
        (exact((1, 5)), [], "key field digest: 5 bytes are given, 32 bits take 4"),
        (exact((1, 4), (2, 1)), [], "key field side: 0x2 has more than 1 bits"),
        ([pb.KeyField(field_id=9)], [], "has no key field of id 9"),
        ([pb.KeyField(field_id=1, lpm=pb.KeyField.LPM())], [], "key field digest: has to be given as exact"),
        (_key(1), [stream(1, 1, 3)], "Ingress.spliced: delta: 3 bytes are given, 32 bits take 4"),
        (_key(1), [stream(3, 0x8000, 2)], "Ingress.spliced: path: 0x8000 has more than 15 bits"),
        (_key(1), [stream(4, 1, 1)], "Ingress.spliced: has no field of id 4"),
    ],
)
def test_wrong_lengths_and_fields(key: list[pb.KeyField], values: list[pb.DataField], told: str) -> None:
    async def scenario(rig: Rig) -> None:
        code, message = await only_part(rig.write((INSERT, rig.entry(CONNECTIONS, key, SPLICED, values))))
        assert code == INVALID
        assert message == f"pipe.Ingress.connections: {told}. Invalid arguments"
        assert not await rig.usage(CONNECTIONS)

    run(scenario)


def test_refusals_of_single_updates() -> None:
    """The rows of the table of updates, each against a table with the entry 1."""

    async def scenario(rig: Rig) -> None:
        entry = rig.entry
        await rig.write((INSERT, _connection(rig, 1)))
        rows = (
            (INSERT, _connection(rig, 1, delta=2), EXISTS, "Already exists"),
            (INSERT, entry(CONNECTIONS, action=SPLICED, is_default_entry=True), UNSUPPORTED, "Operation not supported"),
            (INSERT, entry(KEYLESS, action=SET), UNSUPPORTED, "Operation not supported"),
            (INSERT, entry(CONNECTIONS, _key(2), ONLY_DEFAULT), INVALID, "Invalid arguments"),
            (INSERT, entry(CONNECTIONS, _key(2)), INVALID, "Invalid arguments"),
            (MODIFY, _connection(rig, 2), NOT_FOUND, "Object not found"),
            (MODIFY, entry(CONNECTIONS, _key(1), SPLICED, is_default_entry=True), INVALID, "Invalid arguments"),
            (DELETE, entry(CONNECTIONS, _key(2)), NOT_FOUND, "Object not found"),
            (MODIFY_INC, _connection(rig, 1), UNSUPPORTED, "Operation not supported"),
            (RESET, _connection(rig, 1), UNSUPPORTED, "Operation not supported"),
            (pb.Update.UNSPECIFIED, _connection(rig, 1), INVALID, "Invalid arguments"),
            (INSERT, pb.TableEntry(table_id=0x02000001), NOT_FOUND, "Object not found"),
            (INSERT, entry(DECISIONS, [], SET), INVALID, "Invalid arguments"),
            (MODIFY, entry(DECISIONS, [], SET), INVALID, "Invalid arguments"),
            (DELETE, entry(DECISIONS), INVALID, "Invalid arguments"),
            (INSERT, entry(FLOWS, exact((1, 2)), ONLY_DEFAULT), INVALID, "Invalid arguments"),
            (MODIFY, entry(FLOWS, action=ONLY_ENTRIES, is_default_entry=True), INVALID, "Invalid arguments"),
        )
        for kind, update, code, text in rows:
            told = await only_part(rig.write((kind, update)))
            assert told[0] == code, (kind, update, told)
            assert told[1].endswith(f". {text}"), told
        assert rig.device.state.table(CONNECTIONS).lookup((1, 0)) == (True, 0, (1, 0, 0))
        assert await rig.usage(CONNECTIONS) == 1

    run(scenario)


def test_a_full_table() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write(*((INSERT, _connection(rig, digest)) for digest in range(3)))
        code, message = await only_part(rig.write((INSERT, _connection(rig, 3))))
        assert code == FULL
        assert message == "Ingress.connections: 3 of 3 entries are used, none is free for this. Not enough space"
        await rig.write((DELETE, rig.entry(CONNECTIONS, _key(0))), (INSERT, _connection(rig, 3)))

    run(scenario)


def test_the_default_entry() -> None:
    async def scenario(rig: Rig) -> None:
        table = rig.device.state.table(CONNECTIONS)
        await rig.write((MODIFY, rig.entry(CONNECTIONS, None, SPLICED, _VALUES, is_default_entry=True)))
        assert table.lookup((1, 0)) == (False, 0, (0x01020304, 1, 0x7FFF))
        await rig.write((DELETE, rig.entry(CONNECTIONS, is_default_entry=True)))
        assert table.lookup((1, 0)) == (False, 2, ())
        await rig.write((MODIFY, rig.entry(KEYLESS, None, SET, [stream(1, 5, 2)])))
        assert rig.device.state.table(KEYLESS).lookup(()) == (False, 0, (5,))

    run(scenario)


def test_delete_without_a_key_empties_the_table() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write(
            (INSERT, _connection(rig, 1)),
            (INSERT, _connection(rig, 2)),
            (MODIFY, rig.entry(CONNECTIONS, None, SPLICED, is_default_entry=True)),
            (DELETE, rig.entry(CONNECTIONS)),
        )
        assert not await rig.usage(CONNECTIONS)
        assert rig.device.state.table(CONNECTIONS).lookup((1, 0)) == (False, 2, ())

    run(scenario)


def test_insert_or_modify() -> None:
    async def scenario(rig: Rig) -> None:
        assert await rig.write((INSERT_OR_MODIFY, _connection(rig, 1))) == pb.WriteResponse()
        response = await rig.write(
            (INSERT_OR_MODIFY, _connection(rig, 2)),
            (INSERT_OR_MODIFY, _connection(rig, 1, delta=9)),
            (INSERT_OR_MODIFY, _connection(rig, 3)),
        )
        assert [(part.canonical_code, part.code) for part in response.status] == [(0, 0), (0, 6)]
        assert rig.device.state.table(CONNECTIONS).lookup((1, 0)) == (True, 0, (9, 0, 0))

    run(scenario)


def test_an_absent_entry_may_be_deleted() -> None:
    async def scenario(rig: Rig) -> None:
        delete = (DELETE, rig.entry(CONNECTIONS, _key(1)))
        response = await rig.write(delete, metadata=[("ignore_not_found", "1")])
        assert [(part.canonical_code, part.code) for part in response.status] == [(0, 5)]

    run(scenario)


def test_modify_replaces_what_the_entry_does() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write((INSERT, rig.entry(CONNECTIONS, _key(1), SPLICED, _VALUES)))
        await rig.write((MODIFY, rig.entry(CONNECTIONS, _key(1), SPLICED, [stream(1, 6, 4)])))
        assert rig.device.state.table(CONNECTIONS).lookup((1, 0)) == (True, 0, (6, 0, 0))
        await rig.write((MODIFY, rig.entry(CONNECTIONS, _key(1), NOTHING)))
        assert rig.device.state.table(CONNECTIONS).lookup((1, 0)) == (True, 2, ())

    run(scenario)


def test_continue_on_error_tells_up_to_the_last_failure() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write((INSERT, _connection(rig, 2)))
        updates = [(INSERT, _connection(rig, digest)) for digest in (1, 2, 3)]
        error = await refusal(rig.write(*updates, atomicity=CONTINUE))
        assert error.code() is grpc.StatusCode.UNKNOWN
        assert error.details() == "Write Error Status"
        assert [part.canonical_code for part in parts(error)] == [0, EXISTS]
        assert await rig.usage(CONNECTIONS) == 3

    run(scenario)


def test_rollback_restores_everything_and_stops() -> None:
    async def scenario(rig: Rig) -> None:
        table = rig.device.state.table(CONNECTIONS)
        await rig.write((INSERT, _connection(rig, 1, delta=1)), (INSERT, _connection(rig, 2, delta=2)))
        error = await refusal(
            rig.write(
                (MODIFY, _connection(rig, 1, delta=5)),
                (INSERT_OR_MODIFY, _connection(rig, 1, delta=6)),
                (DELETE, rig.entry(CONNECTIONS, _key(2))),
                (INSERT, _connection(rig, 3)),
                (MODIFY, rig.entry(CONNECTIONS, None, SET, is_default_entry=True)),
                (DELETE, rig.entry(CONNECTIONS)),
                (INSERT, _connection(rig, 4)),
                (DELETE, rig.entry(CONNECTIONS, _key(5))),
                (INSERT, _connection(rig, 6)),
                atomicity=ROLLBACK,
            )
        )
        assert [(part.canonical_code, part.code) for part in parts(error)] == [
            *[(0, 0), (0, 6), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)],
            (NOT_FOUND, 0),
        ]
        assert {key: record.result[2] for key, record in table.entries.items()} == {
            (1, 0): (1, 0, 0),
            (2, 0): (2, 0, 0),
        }
        assert table.lookup((3, 0)) == (False, 2, ())

    run(scenario)


def test_a_batch_that_succeeds_as_a_whole_stays() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.write(*((INSERT, _connection(rig, digest)) for digest in (1, 2)), atomicity=ROLLBACK)
        assert await rig.usage(CONNECTIONS) == 2

    run(scenario)


def test_the_data_plane_is_not_atomic() -> None:
    async def scenario(rig: Rig) -> None:
        error = await refusal(rig.write((INSERT, _connection(rig, 1)), atomicity=DATAPLANE))
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert not error.trailing_metadata()

    run(scenario)


def test_updates_address_all_pipes() -> None:
    async def scenario(rig: Rig) -> None:
        one, every = pb.TargetDevice(pipe_id=0), pb.TargetDevice(pipe_id=0xFFFF)
        code, message = await only_part(rig.write((INSERT, _connection(rig, 1)), target=one))
        assert code == INVALID
        assert "entries are those of all pipes (0xffff), not of 0" in message
        # The entry's own target replaces the request's, both ways.
        entry = _connection(rig, 1)
        entry.entry_tgt.CopyFrom(every)
        await rig.write((INSERT, entry), target=one)
        entry.entry_tgt.CopyFrom(one)
        assert (await only_part(rig.write((DELETE, entry))))[0] == INVALID

    run(scenario)


def test_entities_that_cannot_be_written() -> None:
    async def scenario(rig: Rig) -> None:
        usage = pb.Entity(table_usage=pb.TableUsage(table_id=rig.ids[CONNECTIONS]))
        for update, code in (
            (pb.Update(type=INSERT, entity=usage), UNSUPPORTED),
            (pb.Update(type=INSERT), UNSUPPORTED),
            (pb.Update(type=DELETE), NOT_FOUND),
        ):
            assert (await only_part(rig.write(update)))[0] == code

    run(scenario)


def test_a_deadline() -> None:
    async def scenario(rig: Rig) -> None:
        updates = [(INSERT, _connection(rig, digest)) for digest in (1, 2)]
        call = rig.write(*updates, atomicity=ROLLBACK, metadata=[("deadline_nsec", "1")])
        assert (await refusal(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not await rig.usage(CONNECTIONS)
        await rig.write(*updates, metadata=[("deadline_sec", "60")])

    run(scenario)


def test_a_table_may_refuse_before_it_is_full() -> None:
    async def scenario(rig: Rig) -> None:
        table = rig.device.state.table(CONNECTIONS)
        table.has_room = lambda key: key != (2, 0)  # type: ignore[method-assign]
        error = await refusal(rig.write(*((INSERT, _connection(rig, digest)) for digest in (1, 2, 3))))
        assert [part.canonical_code for part in parts(error)] == [0, FULL]
        assert await rig.usage(CONNECTIONS) == 2

    run(scenario)


def test_ternary_range_and_priority() -> None:
    async def scenario(rig: Rig) -> None:
        def rule(value: int, mask: int, low: int, high: int, priority: int) -> list[pb.KeyField]:
            ternary = pb.KeyField.Ternary(value=value.to_bytes(4), mask=mask.to_bytes(4))
            span = pb.KeyField.Range(low=low.to_bytes(2), high=high.to_bytes(2))
            return [
                pb.KeyField(field_id=1, ternary=ternary),
                pb.KeyField(field_id=2, range=span),
                pb.KeyField(field_id=3, exact=pb.KeyField.Exact(value=b"\x06")),
                pb.KeyField(field_id=65537, exact=pb.KeyField.Exact(value=priority.to_bytes(4))),
            ]

        await rig.write(
            (INSERT, rig.entry(RULES, rule(0x0A0000FF, 0xFF000000, 80, 90, 9), SET, [stream(1, 1, 2)])),
            (INSERT, rig.entry(RULES, rule(0x0A010000, 0xFFFF0000, 80, 85, 3), SET, [stream(1, 2, 2)])),
        )
        table = rig.device.state.table(RULES)
        assert table.lookup((0x0A010203, 85, 6))[2] == (2,)
        assert table.lookup((0x0A010203, 86, 6))[2] == (1,)
        assert not table.lookup((0x0A010203, 86, 17))[0]
        read = await rig.read(rig.entry(RULES, rule(0x0A000000, 0xFF000000, 80, 90, 9)))
        assert list(read[0].key.fields) == rule(0x0A000000, 0xFF000000, 80, 90, 9)
        empty = rig.entry(RULES, rule(0, 0, 5, 4, 1), SET)
        assert "the range from 5 to 4 is empty" in (await only_part(rig.write((INSERT, empty))))[1]

    run(scenario)


def test_longest_prefixes() -> None:
    async def scenario(rig: Rig) -> None:
        def route(value: int, length: int) -> list[pb.KeyField]:
            return [pb.KeyField(field_id=1, lpm=pb.KeyField.LPM(value=value.to_bytes(4), prefix_len=length))]

        await rig.write(
            (INSERT, rig.entry(ROUTES, route(0x0A0000FF, 8), SET, [stream(1, 8, 2)])),
            (INSERT, rig.entry(ROUTES, route(0x0A010000, 16), SET, [stream(1, 16, 2)])),
            (INSERT, rig.entry(ROUTES, [], SET, [stream(1, 0, 2)])),
        )
        table = rig.device.state.table(ROUTES)
        found = {address: table.lookup((address, 0))[2] for address in (0x0A010001, 0x0A020001, 0x0B000001)}
        assert list(found.values()) == [(16,), (8,), (0,)]
        assert not table.lookup((0x0A010001, 1))[0]
        too_long = rig.entry(ROUTES, route(0, 33), SET)
        assert "a prefix of 33 bits is not within its 32 bits" in (await only_part(rig.write((INSERT, too_long))))[1]
        (read,) = await rig.read(rig.entry(ROUTES, route(0x0A000000, 8)))
        assert list(read.key.fields) == [
            *route(0x0A000000, 8),
            *[pb.KeyField(field_id=2, exact=pb.KeyField.Exact(value=b"\0"))],
        ]
        assert numbers(read.data) == {1: 8}

    run(scenario)
