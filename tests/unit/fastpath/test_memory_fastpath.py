"""The in-memory fast path: batches, capacity, reports, time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from fastpath import frame
from fastpath.errors import FastPathError, Rejected, TableFull, Unavailable
from fastpath.frame import Action, InjectFlags
from fastpath.interface import Batch, Closed, FastPath, Idle
from fastpath.memory import EXPECTED_FOR, MemoryFastPath
from fastpath.profile import SWITCH
from fastpath.records import Direction, Drop, Flow, Listener, NextHop, Reason, Server, Splice, Traffic, Volume
from fastpath.verdict import Passed, Punted, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, FIN, RST, SYN
from tests.conformance.target import NEXT_HOPS, PORTS
from tests.conformance.vectors.model import DOWN, PLAIN, RULES, SERVER, SNATTED, STRANGER, UP, UP_LEFT, VIP

OTHER = replace(SNATTED, source=Endpoint.parse("10.2.0.17:50002"), flow=Flow(STRANGER, VIP))
MAPPED = Endpoint.parse("[::ffff:10.2.0.2]:80")
UP_FRAME, DOWN_FRAME = UP.arriving(0), DOWN.arriving(1)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


@pytest.fixture
def path() -> MemoryFastPath:
    path = MemoryFastPath(PORTS, capacity=2, idle_after=10.0)
    run(path.configure(RULES.listeners, RULES.servers, RULES.next_hops))
    return path


def test_it_is_a_fast_path(path: MemoryFastPath) -> None:
    contract: FastPath = path
    assert contract.limits.capacity == 2


def test_a_full_table_takes_nothing_of_a_batch(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    with pytest.raises(TableFull, match="2 splices do not fit: 1 of 2"):
        run(path.install([SNATTED, OTHER]))
    assert list(path.splices()) == [PLAIN]


def test_a_full_table_still_replaces(path: MemoryFastPath) -> None:
    run(path.install([PLAIN, SNATTED]))
    moved = replace(PLAIN, server=Endpoint(SERVER.address, 81), delta=1)
    run(path.install([moved]))
    assert set(path.splices()) == {moved, SNATTED}
    assert path.receive(1, DOWN_FRAME, 0.0) == Passed()


@pytest.mark.parametrize(
    ("splice", "complaint"),
    [
        (replace(PLAIN, delta=2**32), "delta 4294967296 is outside 0..4294967295"),
        (replace(PLAIN, delta=-1), "delta -1"),
        (replace(PLAIN, timestamp_delta=2**32), "timestamp_delta"),
        (replace(PLAIN, pivot=2**32), "pivot"),
        (replace(PLAIN, server_id=65536), "server_id 65536"),
        (replace(PLAIN, server=Endpoint(SERVER.address, 65536)), "port 65536"),
        (replace(PLAIN, server=Endpoint(bytes(16), 80)), "server and source are of different IP versions"),
    ],
)
def test_a_splice_that_cannot_be_is_refused_with_its_batch(
    path: MemoryFastPath, splice: Splice, complaint: str
) -> None:
    with pytest.raises(Rejected, match=complaint):
        run(path.install([SNATTED, splice]))
    assert list(path.splices()) == []


def test_a_4_tuple_belongs_to_one_splice(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    with pytest.raises(Rejected, match=re.escape(f"belong to splice {PLAIN.flow}")):
        run(path.install([replace(PLAIN, flow=Flow(STRANGER, VIP))]))
    assert list(path.splices()) == [PLAIN]


def test_two_splices_of_a_batch_cannot_share_a_4_tuple(path: MemoryFastPath) -> None:
    with pytest.raises(Rejected, match="belong to splice"):
        run(path.install([SNATTED, replace(OTHER, source=SNATTED.source)]))
    assert list(path.splices()) == []


def test_splices_of_a_batch_may_exchange_their_4_tuples(path: MemoryFastPath) -> None:
    run(path.install([SNATTED, OTHER]))
    exchanged = [replace(SNATTED, source=OTHER.source), replace(OTHER, source=SNATTED.source)]
    run(path.update(exchanged))
    assert list(path.splices()) == exchanged


def test_an_update_needs_every_splice_to_be_there(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    with pytest.raises(Rejected, match=re.escape(f"{SNATTED.flow} is not there")):
        run(path.update([replace(PLAIN, delta=9), SNATTED]))
    assert list(path.splices()) == [PLAIN]


def test_removing_passes_over_what_is_not_there(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    run(path.remove([SNATTED.flow, PLAIN.flow, PLAIN.flow]))
    assert list(path.splices()) == []
    assert path.receive(1, DOWN_FRAME, 0.0) == Passed()


@pytest.mark.parametrize(
    ("listeners", "servers", "next_hops", "complaint"),
    [
        ([Listener(MAPPED)], [], [], "an IPv4-mapped address"),
        ([], [Server(65536, SERVER)], [], "id 65536 is outside 0..65535"),
        ([], [Server(0, MAPPED)], [], "an IPv4-mapped address"),
        ([], [], [replace(NEXT_HOPS[0], port=2)], "there is no port 2"),
    ],
)
def test_a_configuration_that_cannot_be_changes_nothing(
    path: MemoryFastPath, listeners: list[Listener], servers: list[Server], next_hops: list[NextHop], complaint: str
) -> None:
    with pytest.raises(Rejected, match=complaint):
        run(path.configure(listeners, servers, next_hops))
    assert isinstance(path.receive(0, replace(UP, flags=SYN).arriving(0), 0.0), Punted)


def test_injected_frames_are_sent_in_order_and_fetched_once(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    path.inject(
        [frame.encode(UP.packet(), Action.TRANSLATE, port=0), b"short", frame.encode(UP.packet(), Action.ROUTE)]
    )
    sent = path.take_sent()
    assert [s.port for s in sent] == [1, 0]
    assert sent[0] == Sent(1, UP_LEFT.leaving(1))
    assert path.take_sent() == []
    assert path.counters().drops == {Drop.FRAME: 1}


def test_a_punt_can_be_read_and_injected_again(path: MemoryFastPath) -> None:
    path.receive(0, UP_FRAME, 0.0)
    (punt,) = path.take_batch().punts
    assert (punt.reason, punt.port, punt.packet) == (Reason.MISS, 0, UP.packet())
    run(path.install([PLAIN]))
    path.inject([punt.reinjected(Action.TRANSLATE)])
    assert path.take_sent() == [Sent(1, UP_LEFT.leaving(1))]


def test_a_reply_is_expected_for_a_while(path: MemoryFastPath) -> None:
    probe = frame.encode(
        replace(UP, source=STRANGER, destination=SERVER).packet(), Action.ROUTE, flags=InjectFlags.EXPECT_REPLY
    )
    reply = replace(UP, source=SERVER, destination=STRANGER).arriving(1)
    path.sweep(100.0)
    path.inject([probe])
    assert isinstance(path.receive(1, reply, 100.0 + EXPECTED_FOR - 0.1), Punted)
    path.inject([probe])
    assert isinstance(path.receive(1, reply, 100.0 + EXPECTED_FOR + 0.1), Punted)
    assert path.receive(1, reply, 100.0 + 2 * EXPECTED_FOR) == Passed()


def test_the_server_of_a_withdrawn_splice_is_expected(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    run(path.withdraw([PLAIN.flow, SNATTED.flow]))
    assert list(path.splices()) == []
    verdict = path.receive(1, DOWN.arriving(1), 1.0)
    assert isinstance(verdict, Punted)
    assert verdict.reason is Reason.MISS
    run(path.install([PLAIN]))
    assert isinstance(path.receive(1, DOWN.arriving(1), 1.0), Sent)


def test_it_knows_when_each_side_was_last_seen(path: MemoryFastPath) -> None:
    run(path.install([replace(PLAIN, pivot=5)]))
    path.receive(0, UP_FRAME, 3.0)
    path.receive(1, DOWN.arriving(1), 4.0)
    run(path.update([replace(PLAIN, pivot=6)]))
    assert [path.last_seen(PLAIN.flow, direction) for direction in Direction] == [3.0, 4.0]
    assert path.last_seen(SNATTED.flow, Direction.TO_SERVER) is None


def test_an_update_of_the_pivot_alone_keeps_what_was_carried(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    path.receive(0, replace(UP, payload=b"12345").arriving(0), 0.0)
    path.receive(1, DOWN.arriving(1), 0.0)
    run(path.update([replace(PLAIN, pivot=5)]))
    assert path.traffic([PLAIN.flow, SNATTED.flow]) == [(Volume(1, 5), Volume(1, 0)), None]
    run(path.update([replace(PLAIN, pivot=5, delta=5)]))
    assert path.traffic([PLAIN.flow]) == [(Volume(0, 0), Volume(0, 0))]


def test_a_switch_does_not_know_what_was_carried() -> None:
    path = MemoryFastPath((0, 1), profile=SWITCH)
    run(path.install([replace(PLAIN, timestamp_delta=0)]))
    assert path.traffic([PLAIN.flow]) == [None]


def test_what_carries_no_packet_is_idle(path: MemoryFastPath) -> None:
    run(path.install([PLAIN, SNATTED]))
    path.receive(0, UP_FRAME, 5.0)
    path.sweep(9.9)
    assert path.take_batch() == Batch()
    path.sweep(10.0)
    assert path.take_batch().idle == [Idle(SNATTED.flow, 10.0)]
    path.sweep(15.0)
    assert path.take_batch().idle == [Idle(PLAIN.flow, 10.0), Idle(SNATTED.flow, 15.0)]


def test_time_does_not_go_back(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    path.receive(0, UP_FRAME, 8.0)
    path.receive(0, UP_FRAME, 3.0)
    path.sweep(17.9)
    assert path.take_batch().idle == []


@pytest.mark.parametrize(("change", "remembered"), [({"pivot": 5}, True), ({"delta": 5}, False)])
def test_an_update_of_the_pivot_alone_remembers_the_fins(
    path: MemoryFastPath, change: dict[str, Any], remembered: bool
) -> None:
    run(path.install([PLAIN]))
    path.receive(0, replace(UP, flags=ACK | FIN).arriving(0), 0.0)
    path.receive(1, replace(DOWN, flags=ACK | FIN, acknowledgment=1001).arriving(1), 0.0)
    run(path.update([replace(PLAIN, **change)]))
    path.receive(0, replace(UP, acknowledgment=1001 + PLAIN.delta).arriving(0), 0.0)
    assert path.take_batch().closed == ([Closed(PLAIN.flow, reset=False)] if remembered else [])


def test_counters_are_a_snapshot(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    path.receive(0, replace(UP, payload=b"12345", padding=b"pad").arriving(0), 0.0)
    before = path.counters()
    path.receive(1, DOWN_FRAME, 0.0)
    path.receive(1, replace(DOWN, ttl=1).arriving(1), 0.0)
    path.receive(1, replace(DOWN, flags=SYN).arriving(1), 0.0)
    assert before.servers == {7: (Traffic(1, 45), Traffic())}
    after = path.counters()
    assert after.servers[7][Direction.TO_CLIENT] == Traffic(1, 40)
    assert (after.drops, after.punts) == ({Drop.TTL: 1}, {Reason.SYN: 1})
    assert (before.drops, before.punts) == ({}, {})


def test_events_come_in_batches_and_end_with_close(path: MemoryFastPath) -> None:
    async def scenario() -> list[Batch]:
        batches: list[Batch] = []

        async def listen() -> None:
            batches.extend([batch async for batch in path.events()])

        listener = asyncio.create_task(listen())
        await path.install([PLAIN])
        await asyncio.sleep(0)
        path.receive(0, replace(UP, source=STRANGER).arriving(0), 0.0)
        path.receive(0, replace(UP, flags=RST).arriving(0), 0.0)
        await asyncio.sleep(0)
        path.receive(0, replace(UP, flags=SYN).arriving(0), 0.0)
        await path.close()
        await listener
        return batches

    first, second = asyncio.run(scenario())
    assert [punt.reason for punt in first.punts] == [Reason.MISS]
    assert first.closed == [Closed(PLAIN.flow, reset=True, by=Direction.TO_SERVER)]
    assert [punt.reason for punt in second.punts] == [Reason.SYN]


def test_after_close_everything_passes(path: MemoryFastPath) -> None:
    run(path.install([PLAIN]))
    run(path.close())
    run(path.close())
    assert list(path.splices()) == []
    assert path.receive(0, UP_FRAME, 0.0) == Passed()
    path.inject([frame.encode(UP.packet(), Action.ROUTE)])
    assert path.take_sent() == []
    for call in (path.install([PLAIN]), path.update([PLAIN]), path.configure([], [], [])):
        with pytest.raises(Unavailable, match="closed"):
            run(call)


def test_every_error_is_a_fast_path_error() -> None:
    assert all(issubclass(error, FastPathError) for error in (TableFull, Rejected, Unavailable))
