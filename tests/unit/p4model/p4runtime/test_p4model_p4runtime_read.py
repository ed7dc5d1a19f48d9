"""Reads: entries by what selects them, counters, and what cannot be read."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4model.calls import refusal
from tests.unit.p4model.p4runtime.rig import (
    DECIDE,
    DECISIONS,
    DISCARD,
    IDS,
    INSERT,
    LEARNED,
    LINES,
    MARK,
    MISSING,
    OUTCOMES,
    REWRITE,
    ROUTES,
    RULES,
    TO,
    TRAFFIC,
    Rig,
    Stream,
    action,
    entry,
    exact,
    frame,
    line,
    lpm,
    named,
    run_with_pipeline,
    span,
    ternary,
    update,
)

_PORT = exact(3, 1)


def test_what_is_written_is_read() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        written = [
            line(1, 2, metadata=b"mine", controller_metadata=5, idle_timeout_ns=1_500_000_001),
            line(0, 0),
            entry(ROUTES, lpm(1, 0x0A << 40, 8), exact(2, 8), do=action(REWRITE, 1, 2)),
            entry(ROUTES, exact(2, 8), do=action(REWRITE, 3, 4)),
            entry(RULES, ternary(1, 2, 0x0A), span(2, 1, 0xFFFF), _PORT, do=action(MARK, 9), priority=7),
            entry(RULES, _PORT, do=action(MARK, 10), priority=8),
        ]
        await rig.insert(*written)
        for table in (LINES, ROUTES, RULES):
            assert await rig.entries(entry(table)) == [one for one in written if one.table_id == IDS[table]]
        # One entry, by its key; the key of the wildcard entry of routes names a field, so it is one, too.
        for one in written:
            key = pb.TableEntry(table_id=one.table_id, match=one.match, priority=one.priority)
            assert await rig.entries(key) == [one]
        assert await rig.entries(line(9, 9)) == []

    run_with_pipeline(scenario)


def test_all_tables() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2), entry(ROUTES, exact(2, 8), do=action(REWRITE, 3, 4)))
        tables = [one.table_id for one in await rig.entries(pb.TableEntry())]
        assert sorted(tables) == sorted([IDS[LINES], IDS[ROUTES], IDS[DECISIONS], IDS[DECISIONS]])
        defaults = await rig.entries(pb.TableEntry(is_default_action=True))
        assert len({one.table_id for one in defaults if one.is_default_action}) == 5

    run_with_pipeline(scenario)


def test_constant_entries() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        first = entry(DECISIONS, ternary(1, 1, 1), do=action(DECIDE, 1), priority=2, is_const=True)
        last = entry(DECISIONS, do=action(DECIDE, 2), priority=1, is_const=True)
        assert await rig.entries(entry(DECISIONS)) == [first, last]
        assert await rig.entries(entry(DECISIONS, priority=1)) == [last]
        assert await rig.entries(entry(DECISIONS, ternary(1, 1, 1), priority=2)) == [first]

    run_with_pipeline(scenario)


@pytest.mark.parametrize(
    ("filters", "ports"),
    [
        ({}, [1, 2, 3]),
        ({"do": action(DISCARD)}, [2]),
        ({"metadata": b"a"}, [1]),
        ({"controller_metadata": 4}, [2, 3]),
        ({"controller_metadata": 4, "metadata": b"b"}, [3]),
    ],
)
def test_filters(filters: dict[str, Any], ports: list[int]) -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(
            line(1, 1, metadata=b"a"),
            entry(LINES, exact(1, 2), do=action(DISCARD), controller_metadata=4),
            line(3, 1, metadata=b"b", controller_metadata=4),
        )
        assert named(await rig.entries(entry(LINES, **filters))) == ports

    run_with_pipeline(scenario)


def test_counters_count_packets() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        for size in (60, 100):
            rig.switch.process(2, frame(size=size))
        (one,) = await rig.read(pb.CounterEntry(counter_id=IDS[TRAFFIC], index={"index": 2}))
        assert one.counter_entry.data == pb.CounterData(packet_count=2, byte_count=160)
        every = [one.counter_entry for one in await rig.read(pb.CounterEntry(counter_id=IDS[TRAFFIC]))]
        assert [(one.index.index, one.data.packet_count) for one in every] == [(0, 0), (1, 0), (2, 2), (3, 0)]
        both = [one.counter_entry for one in await rig.read(pb.CounterEntry())]
        assert [one for one in both if one.counter_id == IDS[TRAFFIC]] == every
        # What counts packets tells no bytes.
        (packets, _) = [one for one in both if one.counter_id == IDS[OUTCOMES]]
        assert packets.data == pb.CounterData(packet_count=2)

    run_with_pipeline(scenario)


def test_direct_counters_count_packets() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2), line(2, 3))
        rig.switch.process(2, frame(size=70))
        key = entry(LINES, exact(1, 2))
        (one,) = await rig.read(pb.DirectCounterEntry(table_entry=key))
        assert one.direct_counter_entry == pb.DirectCounterEntry(
            table_entry=key, data={"packet_count": 1, "byte_count": 70}
        )
        every = await rig.read(pb.DirectCounterEntry(table_entry=entry(LINES)))
        assert [read.direct_counter_entry.data.byte_count for read in every] == [0, 70]
        # An entry tells its counts only if it is asked to.
        first, second = await rig.entries(entry(LINES))
        assert not first.HasField("counter_data")
        assert not second.HasField("counter_data")
        first, second = await rig.entries(entry(LINES, counter_data={}))
        assert first.counter_data == pb.CounterData()
        assert second.counter_data == one.direct_counter_entry.data
        assert await rig.entries(entry(RULES, counter_data={})) == []

    run_with_pipeline(scenario)


def test_several_entities_come_in_one_answer() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2))
        digest = pb.DigestEntry(digest_id=IDS[LEARNED], config={"max_list_size": 3, "ack_timeout_ns": 4})
        await rig.write(update(INSERT, digest))
        one, other = await rig.read(digest, entry(LINES))
        assert one.digest_entry == digest
        assert other.table_entry == line(1, 2)
        assert await rig.read() == []

    run_with_pipeline(scenario)


_DEFAULT: dict[str, Any] = {"is_default_action": True}
_INVALID, _UNIMPLEMENTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("wanted", "code", "told"),
    [
        (pb.TableEntry(table_id=MISSING), _INVALID, "there is no table of id 0x02ffffff"),
        (pb.TableEntry(priority=1), _INVALID, "what only those of one table have"),
        (entry(LINES, exact(1, 512)), grpc.StatusCode.OUT_OF_RANGE, "0x200 has more than 9 bits"),
        (entry(LINES, exact(1, 1), **_DEFAULT), _INVALID, "neither key nor priority"),
        (entry(LINES, time_since_last_hit={}, **_DEFAULT), _INVALID, "which the default entry does not have"),
        (entry(RULES, time_since_last_hit={}), _INVALID, "which a table without support_timeout does not have"),
        (pb.TableEntry(time_since_last_hit={}), _INVALID, "which a table without support_timeout does not have"),
        (pb.CounterEntry(counter_id=1), _INVALID, "there is no counter of id 0x00000001"),
        (
            pb.CounterEntry(counter_id=IDS[TRAFFIC], index={"index": 4}),
            grpc.StatusCode.OUT_OF_RANGE,
            "4 is not below its size, 4",
        ),
        (pb.DirectCounterEntry(), _UNIMPLEMENTED, "table by table"),
        (pb.DirectCounterEntry(table_entry=entry(RULES)), _INVALID, "has no direct counter"),
        (pb.DirectCounterEntry(table_entry=line(7, 1)), grpc.StatusCode.NOT_FOUND, "no entry has this key"),
        (pb.DirectCounterEntry(table_entry=entry(LINES, **_DEFAULT)), _UNIMPLEMENTED, "of the default entry"),
        (pb.DigestEntry(), _UNIMPLEMENTED, "one by one"),
        (pb.DigestEntry(digest_id=1), grpc.StatusCode.NOT_FOUND, "there is no digest of id"),
        (pb.DigestEntry(digest_id=IDS[LEARNED]), grpc.StatusCode.NOT_FOUND, "is not configured"),
        (pb.RegisterEntry(), _UNIMPLEMENTED, "register_entry: cannot be read"),
    ],
)
def test_what_is_refused(wanted: Any, code: grpc.StatusCode, told: str) -> None:  # noqa: ANN401
    async def scenario(rig: Rig, primary: Stream) -> None:
        error = await refusal(rig.read(wanted))
        assert told in (error.details() or "")
        assert error.code() is code

    run_with_pipeline(scenario)


def test_an_empty_entity_and_another_device() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        for request, code in (
            (pb.ReadRequest(entities=[pb.Entity()]), _INVALID),
            (pb.ReadRequest(device_id=4), grpc.StatusCode.NOT_FOUND),
        ):
            call = rig.stub.Read(request, timeout=10)
            assert await call.code() is code

    run_with_pipeline(scenario)


def test_whoever_may_not_write_may_read() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2))
        await primary.close()
        assert await rig.entries(entry(LINES)) == [entry(LINES, exact(1, 1), do=action(TO, 2))]

    run_with_pipeline(scenario)
