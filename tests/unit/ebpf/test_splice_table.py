"""Batches are judged whole, before any of them is written; and all that is known of a splice is in its record."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastpath.ebpf import layout
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.ebpf.splices import Splices
from fastpath.ebpf.sweep import Sweep
from fastpath.errors import FastPathError, Rejected, TableFull
from fastpath.interface import Batch, Closed
from fastpath.records import Direction, Flow, Splice, Tuple4, Volume
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import SECOND, SERVER, VIP, Memory, make, splice

NOBODY = (Volume(0, 0), Volume(0, 0))


def number_of(splices: Splices, one: Splice) -> int:
    number = splices.number(one.flow)
    assert number is not None
    return number


def generation_of(splices: Splices, memory: Memory, one: Splice) -> int:
    return memory.word(number_of(splices, one), layout.GENERATION)


def test_a_splice_takes_two_entries_and_leaves_none() -> None:
    splices, memory = make(4)
    splices.install([splice(1), splice(2)], 0)
    assert set(splices) == {splice(1), splice(2)}
    assert memory.entries() == 4
    splices.remove([splice(1).flow, splice(2).flow], 0)
    assert (len(splices), list(splices), memory.entries()) == (0, [], 0)


def test_capacity_counts_splices_that_are_new() -> None:
    splices, _ = make(2)
    splices.install([splice(1), splice(2)], 0)
    splices.install([splice(2, delta=6)], 0)
    with pytest.raises(TableFull, match="1 more splices do not fit: 2 of 2 are taken"):
        splices.install([splice(1), splice(3)], 0)
    assert set(splices) == {splice(1), splice(2, delta=6)}


def test_a_batch_that_finds_no_room_changes_nothing() -> None:
    splices, memory = make(4)
    before = [splice(port) for port in range(1, 4)]
    splices.install(before, 0)
    replaced = splice(1, delta=6, server=Endpoint.parse("10.2.0.3:8080"))
    with pytest.raises(TableFull):
        splices.install([replaced, splice(4), splice(5)], 0)
    assert set(splices) == set(before)
    assert memory.entries() == 2 * len(before)
    splices.install([splice(4)], 0)
    assert set(splices) == {*before, splice(4)}


def test_a_flow_that_is_there_is_replaced() -> None:
    splices, memory = make(2)
    splices.install([splice(1)], 0)
    before = generation_of(splices, memory, splice(1))
    splices.install([splice(1, delta=9)], 0)
    assert list(splices) == [splice(1, delta=9)]
    assert generation_of(splices, memory, splice(1)) != before
    assert memory.entries() == 2


def test_a_replaced_splice_leaves_nothing_behind() -> None:
    splices, memory = make(4)
    splices.install([splice(1)], 0)
    moved = splice(1, server=Endpoint.parse("10.2.0.3:8080"))
    splices.update([moved], 0)
    assert list(splices) == [moved]
    assert memory.entries() == 2
    splices.install([splice(2, server=SERVER, source=splice(1).source)], 0)


def test_the_last_of_a_flow_in_a_batch_counts() -> None:
    splices, _ = make(1)
    splices.install([splice(1), splice(1, delta=9)], 0)
    assert list(splices) == [splice(1, delta=9)]


def test_a_server_tells_connections_apart_by_their_source() -> None:
    splices, _ = make(4)
    splices.install([splice(1)], 0)
    other_vip = Flow(splice(1).flow.client, Endpoint.parse("10.1.0.101:80"))
    with pytest.raises(
        Rejected, match=r"10\.2\.0\.2:8080 > 10\.1\.0\.2:1 belong to splice 10\.1\.0\.2:1 > 10\.1\.0\.100:80"
    ):
        splices.install([splice(1, flow=other_vip)], 0)
    with pytest.raises(Rejected):
        make(4)[0].install([splice(1), splice(1, flow=other_vip)], 0)


def test_a_replaced_splice_gives_its_source_up() -> None:
    splices, memory = make(4)
    source = Endpoint.parse("10.2.0.77:61000")
    splices.install([splice(1, source=source)], 0)
    splices.install([splice(1), splice(2, source=source)], 0)
    assert set(splices) == {splice(1), splice(2, source=source)}
    assert memory.entries() == 4
    splices.install([splice(1, source=source), splice(2)], 0)
    assert set(splices) == {splice(1, source=source), splice(2)}
    splices.remove([splice(1).flow, splice(2).flow], 0)
    assert memory.entries() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": Endpoint(bytes(16), 80)}, "server and source are of different IP versions"),
        ({"source": Endpoint(bytes(4), 65536)}, "port 65536 is outside"),
        ({"server": Endpoint(bytes(4), 65536)}, "port 65536 is outside"),
        ({"server_id": 65536}, "server_id 65536 is outside"),
        ({"delta": -1}, "delta -1 is outside"),
        ({"timestamp_delta": 2**32}, "timestamp_delta 4294967296 is outside"),
        ({"pivot": 2**32}, "pivot 4294967296 is outside"),
        (
            {"server": Endpoint(bytes(10) + b"\xff\xff\n\2\0\2", 80), "source": Endpoint(bytes(15) + b"\1", 1)},
            "is an IPv4-mapped address",
        ),
    ],
)
def test_values_out_of_range_are_rejected(changes: dict[str, object], message: str) -> None:
    splices, memory = make(2)
    with pytest.raises(Rejected, match=message):
        splices.install([splice(2), splice(1, **changes)], 0)
    assert (list(splices), memory.entries()) == ([], 0)
    splices.install([splice(1), splice(2)], 0)
    with pytest.raises(Rejected, match=message):
        splices.update([splice(2, pivot=4), splice(1, **changes)], 0)
    assert set(splices) == {splice(1), splice(2)}


def test_two_directions_cannot_look_alike() -> None:
    splices, _ = make(1)
    with pytest.raises(Rejected, match="what its client sends carries what its server sends"):
        splices.install([splice(1, server=splice(1).flow.client, source=VIP)], 0)


def test_only_what_is_there_can_be_updated() -> None:
    splices, _ = make(2)
    splices.install([splice(2)], 0)
    with pytest.raises(Rejected, match="not there to be updated"):
        splices.update([splice(2, pivot=1), splice(1)], 0)
    assert list(splices) == [splice(2)]


def test_removing_what_is_not_there_is_passed_over() -> None:
    splices, _ = make(2)
    splices.install([splice(1)], 0)
    splices.remove([splice(2).flow, splice(1).flow, splice(1).flow], 0)
    assert len(splices) == 0


def test_a_pivot_alone_keeps_what_the_program_has_noted() -> None:
    splices, memory = make(2)
    splices.install([splice(1, pivot=1), splice(2, pivot=9)], 5 * SECOND)
    number = number_of(splices, splice(1))
    for direction in Direction:
        memory.note(number, layout.PACKETS + direction, 1 + direction)
        memory.note(number, 2 * (layout.PAYLOAD + direction) + 1, 2 + direction)
    memory.note(number, layout.CLOSING, 1)
    carried = (Volume(1, 2 << 32), Volume(2, 3 << 32))
    for pivot in (2, None, 3, 2**32 - 1, 0):
        splices.update([splice(1, pivot=pivot)], 9 * SECOND)
        assert set(splices) == {splice(1, pivot=pivot), splice(2, pivot=9)}
        assert memory.word(number, layout.FLAGS) == (0 if pivot is None else layout.HAS_PIVOT)
        assert (splices.carried(splice(1).flow), memory.word(number, layout.CLOSING)) == (carried, 1)
        seen = [splices.last_seen(splice(1).flow, direction, 9 * SECOND) for direction in Direction]
        assert [round((at or 0) / SECOND, 2) for at in seen] == [5, 5]
    splices.update([splice(1, delta=6)], 9 * SECOND)
    assert splices.carried(splice(1).flow) == NOBODY
    assert memory.word(number_of(splices, splice(1)), layout.CLOSING) == 0


def test_what_is_not_there_has_carried_nothing() -> None:
    splices, _ = make(1)
    flow = splice(1).flow
    assert (splices.carried(flow), splices.last_seen(flow, Direction.TO_SERVER, 0), splices.withdrawn(flow)) == (
        None,
    ) * 3


def test_what_the_server_of_a_splice_sends() -> None:
    splices, _ = make(1)
    splices.install([splice(1)], 0)
    assert splices.withdrawn(splice(1).flow) == Tuple4(SERVER, splice(1).source)


def test_a_record_is_not_used_again_at_once() -> None:
    splices, memory = make(1)
    splices.install([splice(1)], 0)
    first = number_of(splices, splice(1))
    splices.remove([splice(1).flow], 0)
    splices.install([splice(2)], GRACE - 1)
    second = number_of(splices, splice(2))
    assert second != first
    assert memory.word(first, layout.GENERATION) == 0
    splices.remove([splice(2).flow], GRACE)
    splices.install([splice(3)], GRACE)
    assert number_of(splices, splice(3)) == first


def test_an_end_is_reported_once_per_cause_and_not_for_an_earlier_splice() -> None:
    splices, memory = make(1)
    splices.install([splice(1)], 0)
    flow, number = splice(1).flow, number_of(splices, splice(1))
    generation = generation_of(splices, memory, splice(1))
    reset, by_both = layout.RESET_BITS[Direction.TO_CLIENT], layout.CLOSING_RESET
    both = layout.CLOSING_FINS | reset
    assert splices.ended(number, generation, 1) == []
    assert splices.ended(number, generation, layout.CLOSING_FINS) == [Closed(flow, reset=False)]
    assert splices.ended(number, generation, both) == [Closed(flow, reset=True, by=Direction.TO_CLIENT)]
    assert splices.ended(number, generation, layout.CLOSING_FINS | by_both) == []
    assert splices.ended(number, generation, both) == []
    splices.remove([flow], 0)
    assert splices.ended(number, generation, both) == []
    assert splices.ended(number, 0, both) == []
    splices.install([splice(1)], GRACE)
    assert number_of(splices, splice(1)) == number
    assert splices.ended(number, generation, both) == []
    assert splices.ended(number, generation_of(splices, memory, splice(1)), 3) == [Closed(flow, reset=False)]


def test_whose_reset_was_first_is_not_known_once_both_have_passed() -> None:
    splices, memory = make(1)
    splices.install([splice(1)], 0)
    generation = generation_of(splices, memory, splice(1))
    closed = splices.ended(number_of(splices, splice(1)), generation, layout.CLOSING_RESET)
    assert closed == [Closed(splice(1).flow, reset=True)]


def endpoints(length: int) -> st.SearchStrategy[Endpoint]:
    addresses = st.binary(min_size=length, max_size=length).filter(lambda value: value[:12] != bytes(10) + b"\xff\xff")
    return st.builds(Endpoint, addresses, st.integers(0, 65535))


sides = st.sampled_from((4, 16)).flatmap(lambda length: st.tuples(endpoints(length), endpoints(length)))
numbers = st.integers(0, 2**32 - 1)


@given(sides, sides, st.integers(0, 65535), numbers, numbers, st.none() | numbers)
def test_a_splice_is_read_back_from_its_record(
    ends: tuple[Endpoint, Endpoint],
    others: tuple[Endpoint, Endpoint],
    server_id: int,
    delta: int,
    timestamp_delta: int,
    pivot: int | None,
) -> None:
    assume(ends != others)
    written = Splice(Flow(*ends), others[0], server_id, others[1], delta, timestamp_delta, pivot)
    splices, _ = make(1)
    splices.install([written], 0)
    assert list(splices) == [written]
    assert splices.withdrawn(written.flow) == others


SOURCES = (None, Endpoint.parse("10.2.0.77:61000"), Endpoint.parse("10.2.0.77:61001"))
SERVERS = (SERVER, Endpoint.parse("10.2.0.3:8080"))


def _any_splice(port: int, delta: int, server: int, source: int, pivot: int | None) -> Splice:
    changes: dict[str, object] = {"delta": delta, "server": SERVERS[server], "pivot": pivot}
    chosen = SOURCES[source]
    return splice(port, **changes) if chosen is None else splice(port, source=chosen, **changes)


any_splices = st.builds(
    _any_splice, st.integers(1, 8), st.integers(0, 1), st.integers(0, 1), st.integers(0, 2), st.none() | st.just(3)
)
steps = st.tuples(st.sampled_from(("install", "update", "remove")), st.lists(any_splices, min_size=1, max_size=4))


def _expected(model: dict[Flow, Splice], kind: str, batch: list[Splice], capacity: int) -> dict[Flow, Splice] | None:
    """What a step makes of the splices that are there; None if it is refused."""
    if kind == "remove":
        return {flow: one for flow, one in model.items() if flow not in {other.flow for other in batch}}
    after = model | {one.flow: one for one in batch}
    tuples = {match for one in after.values() for match in (Tuple4(*one.flow), Tuple4(one.server, one.source))}
    known = kind == "install" or all(one.flow in model for one in batch)
    return after if known and len(after) <= capacity and len(tuples) == 2 * len(after) else None


@settings(deadline=None, max_examples=200)
@given(st.lists(steps, max_size=12), st.sampled_from((None, 2, 3)))
def test_they_are_as_a_dictionary_of_them(history: list[tuple[str, list[Splice]]], buckets: int | None) -> None:
    splices, memory = make(6, buckets=buckets)
    model: dict[Flow, Splice] = {}
    for now, (kind, batch) in enumerate(history):
        after = _expected(model, kind, batch, 6)
        try:
            if kind == "remove":
                splices.remove([one.flow for one in batch], now * GRACE)
            else:
                (splices.install if kind == "install" else splices.update)(batch, now * GRACE)
        except TableFull:
            # An index this small may have no room where one of the usual size has.
            assert after is None or buckets is not None
        except FastPathError:
            assert after is None
        else:
            assert after is not None
            model = after
        assert set(splices) == set(model.values())
        assert (len(splices), memory.entries()) == (len(model), 2 * len(model))
        for flow in model:
            assert splices.flow(number_of(splices, model[flow])) == flow


def swept(splices: Splices, idle_after: float, enough: Callable[[list[Batch]], bool]) -> list[Batch]:
    """What sweeps find until it is enough."""

    async def scenario() -> list[Batch]:
        batches: list[Batch] = []
        done = asyncio.Event()

        def collect(batch: Batch) -> None:
            batches.append(batch)
            if enough(batches):
                done.set()

        sweeping = asyncio.create_task(Sweep(splices, idle_after, collect).run())
        await asyncio.wait_for(done.wait(), 20)
        sweeping.cancel()
        return batches

    return asyncio.run(scenario())


def test_idle_splices_are_found_again_and_again() -> None:
    splices, _ = make(4)
    splices.install([splice(1)], time.monotonic_ns() - SECOND)
    splices.install([splice(2)], time.monotonic_ns() + 1000 * SECOND)
    batches = swept(splices, 0.1, lambda batches: len(batches) == 2)
    for batch in batches:
        (idle,) = batch.idle
        assert idle.flow == splice(1).flow
        assert idle.seconds >= 0.99


def test_a_splice_whose_server_still_sends_is_not_idle() -> None:
    splices, memory = make(4)
    splices.install([splice(1), splice(2), splice(3)], time.monotonic_ns() - SECOND)
    later = layout.tick(time.monotonic_ns() + 1000 * SECOND)
    memory.note(number_of(splices, splice(1)), layout.LAST_SEEN + Direction.TO_CLIENT, later)
    memory.note(number_of(splices, splice(3)), layout.LAST_SEEN + Direction.TO_SERVER, later)
    (batch,) = swept(splices, 0.1, bool)[:1]
    assert [idle.flow for idle in batch.idle] == [splice(2).flow]


def test_the_clock_wraps() -> None:
    splices, _ = make(1)
    wrap = (1 << 32) << layout.TICK_SHIFT
    splices.install([splice(1)], wrap - SECOND)
    seen = splices.last_seen(splice(1).flow, Direction.TO_SERVER, wrap + SECOND)
    assert seen is not None
    assert abs(seen - (wrap - SECOND)) < 1 << layout.TICK_SHIFT + 1


def test_an_end_whose_report_was_lost_is_found_once() -> None:
    splices, memory = make(4)
    splices.install([splice(1)], time.monotonic_ns() - SECOND)
    memory.note(number_of(splices, splice(1)), layout.CLOSING, layout.CLOSING_FINS)
    batches = swept(splices, 0.1, lambda batches: len(batches) == 3)
    assert [batch.closed for batch in batches] == [[Closed(splice(1).flow, reset=False)], [], []]


def test_a_record_is_as_large_as_the_struct() -> None:
    assert len(layout.record(splice(1), 0, 1, 0)) == layout.RECORD_BYTES == 4 * layout.RECORD_WORDS
    assert struct.calcsize("=16s16sHH9I2I2I2Q") == layout.RECORD_BYTES
