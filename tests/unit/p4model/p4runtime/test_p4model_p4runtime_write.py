"""Updates: what they do to the packets, and why they are refused."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4model.calls import refusal
from tests.unit.p4model.p4runtime.rig import (
    DECIDE,
    DECISIONS,
    DELETE,
    DISCARD,
    IDS,
    INSERT,
    KEYLESS,
    LEARNED,
    LINES,
    MARK,
    MISSING,
    MODIFY,
    NOTHING,
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
    only_part,
    parts,
    run,
    run_with_pipeline,
    span,
    ternary,
    update,
)

_OK = grpc.StatusCode.OK.value[0]
_NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]
_DENIED = grpc.StatusCode.PERMISSION_DENIED
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_RANGE = grpc.StatusCode.OUT_OF_RANGE


def test_entries_come_change_and_go() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2), line(2, 1))
        assert rig.switch.process(1, frame()).outputs[0][0] == 2
        await rig.write(update(MODIFY, line(1, 5)), update(DELETE, line(2, 1)))
        assert rig.switch.process(1, frame()).outputs[0][0] == 5
        assert not rig.switch.process(2, frame()).outputs
        await rig.write()

    run_with_pipeline(scenario)


def test_each_update_has_its_status() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2))
        kinds = ((INSERT, 3), (INSERT, 1), (DELETE, 7), (INSERT, 4))
        error = await refusal(rig.write(*(update(kind, line(port, 4)) for kind, port in kinds)))
        told = parts(error)
        assert [part.canonical_code for part in told] == [_OK, grpc.StatusCode.ALREADY_EXISTS.value[0], _NOT_FOUND, _OK]
        assert [part.space for part in told] == ["", "p4model", "p4model", ""]
        assert told[0] == pb.Error()
        assert error.details() == "2 of 4 updates failed, the first: Pipeline.lines: an entry has this key"
        assert named(await rig.entries(entry(LINES))) == [1, 3, 4]

    run_with_pipeline(scenario)


def test_a_full_table() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2), line(2, 2), line(3, 2))
        code, told = await only_part(rig.insert(line(4, 2)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "3 of 3 entries are used" in told
        await rig.write(update(DELETE, line(2, 0)))
        await rig.insert(line(4, 2))

    run_with_pipeline(scenario)


def test_a_table_that_refuses_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        monkeypatch.setattr(rig.state.table("Pipeline.lines"), "has_room", lambda key: False)
        code, _ = await only_part(rig.insert(line(1, 2)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED

    run_with_pipeline(scenario)


def test_the_higher_priority_wins() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        everywhere = exact(3, 1)
        await rig.insert(
            line(1, 2),
            entry(RULES, everywhere, do=action(MARK, 0x11), priority=1),
            entry(RULES, ternary(1, 0x0A, 0xFF), everywhere, do=action(MARK, 0x21), priority=30),
            entry(RULES, span(2, 0x100, 0x200), everywhere, do=action(MARK, 0x31), priority=20),
        )
        for destination, ether_type, marked in ((0x0A, 0x150, 0x21), (0x0B, 0x150, 0x31), (0x0B, 0x250, 0x11)):
            ((_, out),) = rig.switch.process(1, frame(destination, ether_type=ether_type)).outputs
            assert int.from_bytes(out[12:14]) == marked
        # The priority is part of the key.
        await rig.insert(entry(RULES, everywhere, do=action(MARK, 1), priority=2))
        missing = entry(RULES, everywhere, do=action(MARK, 1), priority=3)
        code, _ = await only_part(rig.write(update(MODIFY, missing)))
        assert code is grpc.StatusCode.NOT_FOUND

    run_with_pipeline(scenario)


def test_the_longest_prefix_wins() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(
            line(1, 2),
            entry(ROUTES, exact(2, 8), do=action(REWRITE, 1, 0x18)),
            entry(ROUTES, lpm(1, 0x0A << 40, 8), exact(2, 8), do=action(REWRITE, 2, 0x28)),
        )
        for destination, source in ((0x0A << 40, 2), (0x0B << 40, 1)):
            ((_, out),) = rig.switch.process(1, frame(destination, ether_type=8)).outputs
            assert int.from_bytes(out[6:12]) == source

    run_with_pipeline(scenario)


def test_default_entries_are_modified_and_reset() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        default = entry(LINES, do=action(TO, 6), is_default_action=True, metadata=b"mine")
        await rig.write(update(MODIFY, default))
        assert rig.switch.process(1, frame()).outputs[0][0] == 6
        assert await rig.entries(entry(LINES, is_default_action=True)) == [default]
        keyless = entry(KEYLESS, do=action(REWRITE, 5, 6), is_default_action=True)
        await rig.write(update(MODIFY, keyless))
        assert rig.switch.process(1, frame()).outputs[0][1][6:12] == (5).to_bytes(6)
        await rig.write(update(MODIFY, entry(LINES, is_default_action=True)))
        assert not rig.switch.process(1, frame()).outputs
        (reset,) = await rig.entries(entry(LINES, is_default_action=True))
        assert reset == entry(LINES, do=action(DISCARD), is_default_action=True)

    run_with_pipeline(scenario)


def test_values_may_have_more_bytes_than_they_need() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        padded = line(1, 2)
        padded.match[0].exact.value = bytes(9) + b"\1"
        padded.action.action.params[0].value = bytes(3) + b"\2"
        await rig.insert(padded)
        assert await rig.entries(entry(LINES)) == [line(1, 2)]

    run_with_pipeline(scenario)


def _match(*fields: pb.FieldMatch, **more: Any) -> pb.TableEntry:  # noqa: ANN401
    return entry(RULES, *fields, do=action(MARK, 1), **{"priority": 1, **more})


def _route(*fields: pb.FieldMatch) -> pb.TableEntry:
    return entry(ROUTES, *fields, do=action(REWRITE, 1, 2))


_PORT = exact(3, 1)
_EMPTY = pb.FieldMatch(field_id=1, exact=pb.FieldMatch.Exact())
_MEMBER = pb.TableAction(action_profile_member_id=1)
_DEFAULT: dict[str, Any] = {"is_default_action": True}


@pytest.mark.parametrize(
    ("kind", "one", "code", "told"),
    [
        # Keys
        (INSERT, entry(LINES, do=action(TO, 1)), _INVALID, "key field port: is exact and cannot be left out"),
        (INSERT, entry(LINES, _PORT, do=action(TO, 1)), _INVALID, "the key field of id 3 is none of the table's"),
        (INSERT, entry(LINES, exact(1, 1), exact(1, 2), do=action(TO, 1)), _INVALID, "of id 1 is given twice"),
        (INSERT, line(512, 1), _RANGE, "key field port: 0x200 has more than 9 bits"),
        (INSERT, entry(LINES, _EMPTY, do=action(TO, 1)), _RANGE, "its value has no bytes"),
        (INSERT, entry(LINES, ternary(1, 1, 1), do=action(TO, 1)), _INVALID, "has to be given as exact"),
        (INSERT, line(1, 1, priority=1), _INVALID, "its entries have no priority"),
        (INSERT, _match(_PORT, priority=0), _INVALID, "need a priority above 0"),
        (INSERT, _match(_PORT, priority=-1), _INVALID, "need a priority above 0"),
        (INSERT, _match(ternary(1, 3, 1), _PORT), _INVALID, "destination: 0x3 has bits that its mask 0x1 has not"),
        (INSERT, _match(ternary(1, 0, 0), _PORT), _INVALID, "destination: matches everything; leave it out"),
        (INSERT, _match(ternary(1, 0, 1 << 48), _PORT), _RANGE, "destination (mask): 0x1000000000000 has more than 48"),
        (INSERT, _match(span(2, 5, 4), _PORT), _INVALID, "type: the range from 5 to 4 is empty"),
        (INSERT, _match(span(2, 0, 0xFFFF), _PORT), _INVALID, "type: matches everything"),
        (INSERT, _match(span(2, 0, 0x10000), _PORT), _RANGE, "type (high): 0x10000 has more than 16 bits"),
        (INSERT, _route(lpm(1, 1, 0), exact(2, 1)), _INVALID, "0x1 has bits behind its prefix of 0 bits"),
        (INSERT, _route(lpm(1, 0, 0), exact(2, 1)), _INVALID, "destination: matches everything"),
        (INSERT, _route(lpm(1, 0, 49), exact(2, 1)), _INVALID, "a prefix of 49 bits is not within its 48 bits"),
        (INSERT, _route(lpm(1, 1, 47), exact(2, 1)), _INVALID, "0x1 has bits behind its prefix of 47 bits"),
        # Actions
        (INSERT, entry(LINES, exact(1, 1)), _INVALID, "the entry has no action"),
        (MODIFY, entry(LINES, exact(1, 1)), _INVALID, "the entry has no action"),
        (INSERT, entry(LINES, exact(1, 1), do=_MEMBER), _INVALID, "not action_profile_member_id"),
        (INSERT, entry(LINES, exact(1, 1), do=pb.TableAction()), _INVALID, "have an action, not None"),
        (INSERT, entry(LINES, exact(1, 1), do=action(MARK, 1)), _INVALID, "lines: has no action of id 0x01"),
        (INSERT, entry(LINES, exact(1, 1), do=action(TO)), _INVALID, "Pipeline.to: lacks port"),
        (INSERT, entry(LINES, exact(1, 1), do=action(TO, 1, 2)), _INVALID, "the parameter of id 2 is none"),
        (INSERT, line(1, 512), _RANGE, "Pipeline.to: port: 0x200 has more than 9 bits"),
        (INSERT, entry(RULES, _PORT, do=action(NOTHING), priority=1), _DENIED, "NoAction is DefaultOnly"),
        (
            MODIFY,
            entry(ROUTES, do=action(REWRITE, 1, 2), **_DEFAULT),
            _DENIED,
            "rewrite is TableOnly, so no default entry",
        ),
        # Default entries
        (INSERT, entry(LINES, do=action(TO, 1), **_DEFAULT), _INVALID, "the default entry is always there"),
        (DELETE, entry(LINES, **_DEFAULT), _INVALID, "modify it without an action"),
        (MODIFY, line(1, 2, **_DEFAULT), _INVALID, "neither key nor priority"),
        (MODIFY, entry(LINES, do=action(TO, 1), priority=1, **_DEFAULT), _INVALID, "neither key nor priority"),
        (MODIFY, entry(LINES, do=action(TO, 1), idle_timeout_ns=1, **_DEFAULT), _INVALID, "does not age"),
        (MODIFY, entry(RULES, do=action(NOTHING), **_DEFAULT), _DENIED, "declares its default action const"),
        (
            MODIFY,
            entry(LINES, do=action(TO, 1), counter_data=pb.CounterData(), **_DEFAULT),
            grpc.StatusCode.UNIMPLEMENTED,
            "no counter that can be set",
        ),
        # Tables
        (INSERT, pb.TableEntry(table_id=MISSING), _INVALID, "there is no table of id 0x02ffffff"),
        (INSERT, entry(KEYLESS, do=action(REWRITE, 1, 2)), _INVALID, "has no key"),
        (INSERT, entry(DECISIONS, priority=5, do=action(DECIDE, 1)), _DENIED, "declares its entries const"),
        (MODIFY, entry(DECISIONS, priority=1, do=action(DECIDE, 1)), _DENIED, "declares its entries const"),
        (DELETE, entry(DECISIONS, priority=1), _DENIED, "declares its entries const"),
        # What else an entry has
        (INSERT, line(1, 2, is_const=True), _INVALID, "is_const cannot be written"),
        (INSERT, line(1, 2, time_since_last_hit={}), _INVALID, "time_since_last_hit cannot be written"),
        (INSERT, line(1, 2, meter_config={}), _INVALID, "meter_config cannot be written"),
        (INSERT, line(1, 2, idle_timeout_ns=-1), _INVALID, "idle_timeout_ns is negative"),
        (INSERT, _match(_PORT, idle_timeout_ns=1), _INVALID, "the table has no support_timeout"),
        (INSERT, _match(_PORT, counter_data={}), _INVALID, "has no direct counter"),
        # Types of updates
        (pb.Update.UNSPECIFIED, line(1, 2), _INVALID, "the update has no type"),
        (DELETE, line(1, 2), grpc.StatusCode.NOT_FOUND, "no entry has this key"),
        (MODIFY, line(1, 2), grpc.StatusCode.NOT_FOUND, "no entry has this key"),
        # Other entities
        (INSERT, pb.RegisterEntry(), grpc.StatusCode.UNIMPLEMENTED, "register_entry: cannot be written"),
        (INSERT, pb.CounterEntry(counter_id=IDS[TRAFFIC]), _INVALID, "can only be modified"),
        (MODIFY, pb.CounterEntry(counter_id=1), _INVALID, "there is no counter of id"),
        (MODIFY, pb.CounterEntry(counter_id=IDS[TRAFFIC]), grpc.StatusCode.UNIMPLEMENTED, "give an index"),
        (MODIFY, pb.CounterEntry(counter_id=IDS[TRAFFIC], index={"index": 4}), _RANGE, "4 is not below its size, 4"),
        (MODIFY, pb.CounterEntry(counter_id=IDS[TRAFFIC], index={"index": -1}), _INVALID, "the index -1 is negative"),
        (DELETE, pb.DirectCounterEntry(table_entry=line(1, 2)), _INVALID, "can only be modified"),
        (MODIFY, pb.DirectCounterEntry(table_entry=line(1, 2)), grpc.StatusCode.NOT_FOUND, "no entry has this key"),
        (MODIFY, pb.DirectCounterEntry(table_entry=entry(RULES)), _INVALID, "has no direct counter"),
        (
            MODIFY,
            pb.DirectCounterEntry(table_entry=entry(LINES, **_DEFAULT)),
            grpc.StatusCode.UNIMPLEMENTED,
            "the counter of the default entry",
        ),
        (INSERT, pb.DigestEntry(digest_id=1), grpc.StatusCode.NOT_FOUND, "there is no digest of id"),
        (MODIFY, pb.DigestEntry(digest_id=IDS[LEARNED]), grpc.StatusCode.NOT_FOUND, "is not configured"),
        (DELETE, pb.DigestEntry(digest_id=IDS[LEARNED]), grpc.StatusCode.NOT_FOUND, "is not configured"),
        (
            INSERT,
            pb.DigestEntry(digest_id=IDS[LEARNED], config={"max_timeout_ns": -1}),
            _INVALID,
            "has a negative number",
        ),
    ],
)
def test_what_is_refused(kind: pb.Update.Type, one: Any, code: grpc.StatusCode, told: str) -> None:  # noqa: ANN401
    async def scenario(rig: Rig, primary: Stream) -> None:
        found, message = await only_part(rig.write(update(kind, one)))
        assert told in message
        assert found is code
        assert await rig.entries(entry(LINES)) == []

    run_with_pipeline(scenario)


def test_an_update_of_nothing() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        assert await only_part(rig.write(pb.Update(type=INSERT))) == (_INVALID, "the update has no entity")

    run_with_pipeline(scenario)


def test_counters_are_set() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        for name, data in ((TRAFFIC, (5, 6)), (OUTCOMES, (7, 0))):
            counter = pb.CounterEntry(counter_id=IDS[name], index={"index": 1})
            counter.data.packet_count, counter.data.byte_count = data
            await rig.write(update(MODIFY, counter))
            # Without data, nothing is set.
            await rig.write(update(MODIFY, pb.CounterEntry(counter_id=IDS[name], index={"index": 1})))
            (read,) = await rig.read(pb.CounterEntry(counter_id=IDS[name], index={"index": 1}))
            assert read.counter_entry == counter

    run_with_pipeline(scenario)


def test_direct_counters_are_set_and_stay() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        async def counted() -> tuple[int, int]:
            (read,) = await rig.entries(entry(LINES, counter_data={}))
            return read.counter_data.packet_count, read.counter_data.byte_count

        await rig.insert(line(1, 2, counter_data={"packet_count": 3, "byte_count": 4}))
        assert await counted() == (3, 4)
        rig.switch.process(1, frame(size=100))
        await rig.write(update(MODIFY, line(1, 3)))
        assert await counted() == (4, 104)
        await rig.write(update(MODIFY, line(1, 3, counter_data={"packet_count": 9})))
        assert await counted() == (9, 0)
        written = pb.DirectCounterEntry(table_entry=line(1, 0), data={"byte_count": 8})
        await rig.write(update(MODIFY, written))
        assert await counted() == (0, 8)

    run_with_pipeline(scenario)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"atomicity": pb.WriteRequest.ROLLBACK_ON_ERROR}, grpc.StatusCode.UNIMPLEMENTED),
        ({"atomicity": pb.WriteRequest.DATAPLANE_ATOMIC}, grpc.StatusCode.UNIMPLEMENTED),
        ({"device_id": 3}, grpc.StatusCode.NOT_FOUND),
        ({"election_id": 3}, _DENIED),
        ({"role": "other"}, _DENIED),
    ],
)
def test_requests_that_are_not_tried(request_: dict[str, Any], code: grpc.StatusCode) -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        error = await refusal(rig.write(update(INSERT, line(1, 2)), **request_))
        assert error.code() is code
        trailing: Any = error.trailing_metadata()
        assert "grpc-status-details-bin" not in dict(trailing)
        assert await rig.entries(entry(LINES)) == []

    run_with_pipeline(scenario)


def test_no_controller_no_write() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller():
            await rig.set_pipeline()
        error = await refusal(rig.insert(line(1, 2)))
        assert error.code() is _DENIED
        assert "none is" in (error.details() or "")

    run(scenario)
