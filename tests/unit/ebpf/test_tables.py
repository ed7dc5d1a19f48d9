"""Splices, listeners and the sweep on the kernel's own maps."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from fastpath.access import Access, Prefix
from fastpath.ebpf import layout
from fastpath.ebpf.attachment import SOURCE
from fastpath.ebpf.compile import compiled
from fastpath.ebpf.ledger import Change, Ledger
from fastpath.ebpf.libbpf import Map, Object
from fastpath.ebpf.sweep import Sweep
from fastpath.ebpf.tables import EXPECTED_FOR, Tables
from fastpath.errors import TableFull, Unavailable
from fastpath.interface import Batch, Closed
from fastpath.records import Direction, Flow, Listener, Offer, Splice, Tuple4, Volume
from slowpath.wire.endpoint import Endpoint

VIP = Endpoint.parse("10.1.0.100:80")
SERVER = Endpoint.parse("10.2.0.2:8080")
ROOM = 4
"""Splices that the kernel's map holds."""


@dataclass
class Kernel:
    """A loaded program that is attached to nothing, and a ledger that knows of more room than there is."""

    tables: Tables
    flows: Map
    listeners: Map
    access: Map
    expected: Map
    ledger: Ledger

    def carry_out(self, change: Change, now: int | None = None) -> None:
        self.tables.carry_out(change, time.monotonic_ns() if now is None else now)
        self.ledger.commit(change)

    def note(self, splice: Splice, closing: int) -> None:
        """Write a closing state as the program does."""
        key = layout.tuple4(splice.flow)
        value = self.flows.lookup(key)
        assert value is not None
        self.flows.update(key, value[:_CLOSING] + layout.number(closing) + value[_CLOSING + 4 :])

    def closing(self, splice: Splice) -> int:
        value = self.flows.lookup(layout.tuple4(splice.flow))
        assert value is not None
        return next(layout.states(value)).closing


_CLOSING = 80
_PACKETS = 84
_HAS_PIVOT = 39


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    if os.geteuid():
        pytest.skip("BPF needs root")
    program = Object(compiled(SOURCE))
    program.maps["l7lb_flows"].resize(2 * ROOM)
    program.load()
    maps = program.maps
    yield Kernel(
        Tables(maps),
        maps["l7lb_flows"],
        maps["l7lb_listeners"],
        maps["l7lb_access"],
        maps["l7lb_expected"],
        Ledger(100),
    )
    program.close()


def splice(port: int, **changes: object) -> Splice:
    client = Endpoint(bytes((10, 1, 0, 2)), port)
    return replace(Splice(Flow(client, VIP), SERVER, 7, client, delta=5), **changes)  # type: ignore[arg-type]


def found(kernel: Kernel) -> set[Splice]:
    return set(kernel.tables.splices())


def test_a_splice_takes_two_elements_and_leaves_none(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1), splice(2)]))
    assert found(kernel) == {splice(1), splice(2)}
    assert len(list(kernel.flows.items())) == 4
    kernel.carry_out(kernel.ledger.remove([splice(1).flow, splice(2).flow]))
    assert list(kernel.flows.items()) == []


def test_a_replaced_splice_leaves_nothing_behind(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1)]))
    moved = splice(1, server=Endpoint.parse("10.2.0.3:8080"))
    kernel.carry_out(kernel.ledger.update([moved]))
    assert found(kernel) == {moved}
    assert len(list(kernel.flows.items())) == 2
    assert kernel.flows.lookup(layout.tuple4(Tuple4(SERVER, splice(1).source))) is None


def test_a_batch_that_finds_no_room_changes_nothing(kernel: Kernel) -> None:
    before = [splice(port) for port in range(1, ROOM)]
    kernel.carry_out(kernel.ledger.install(before))
    replaced = splice(1, delta=6, server=Endpoint.parse("10.2.0.3:8080"))
    with pytest.raises(TableFull):
        kernel.carry_out(kernel.ledger.install([replaced, splice(ROOM), splice(ROOM + 1)]))
    assert found(kernel) == set(before)
    assert len(list(kernel.flows.items())) == 2 * len(before)
    kernel.carry_out(kernel.ledger.install([splice(ROOM)]))
    assert found(kernel) == {*before, splice(ROOM)}


def test_what_has_gone_already_does_not_stop_a_removal(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1), splice(2)]))
    kernel.flows.delete_batch([layout.tuple4(splice(1).flow)])
    kernel.carry_out(kernel.ledger.remove([splice(1).flow, splice(2).flow]))
    assert list(kernel.flows.items()) == []


def test_a_moved_pivot_keeps_what_the_program_has_noted(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1)]))
    kernel.note(splice(1), closing=1)
    kernel.carry_out(kernel.ledger.update([splice(1, pivot=77)]))
    assert found(kernel) == {splice(1, pivot=77)}
    assert kernel.closing(splice(1)) == 1
    kernel.carry_out(kernel.ledger.update([splice(1, delta=6)]))
    assert kernel.closing(splice(1)) == 0


def test_a_moved_pivot_keeps_the_counts(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1, pivot=1)]))
    for number, (key, value) in enumerate(sorted(kernel.flows.items()), start=1):
        kernel.flows.update(key, value[:_PACKETS] + struct.pack("=IQ", number, number << 33))
    before = carried(kernel, splice(1))
    assert sorted(before) == [Volume(1, 1 << 33), Volume(2, 2 << 33)]
    for pivot in (2, None, 3):
        kernel.carry_out(kernel.ledger.update([splice(1, pivot=pivot)]))
        assert carried(kernel, splice(1)) == before
    kernel.carry_out(kernel.ledger.update([splice(1, delta=6)]))
    assert carried(kernel, splice(1, delta=6)) == (Volume(0, 0), Volume(0, 0))


def carried(kernel: Kernel, splice: Splice) -> tuple[Volume, Volume]:
    record = kernel.ledger.get(splice.flow)
    assert record is not None
    volumes = kernel.tables.carried(record)
    assert volumes is not None
    return volumes


def test_a_pivot_comes_and_goes_in_both_elements(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1, pivot=1)]), 5_000_000_000)
    for pivot in (2, None, 3):
        kernel.carry_out(kernel.ledger.update([splice(1, pivot=pivot)]), 9_000_000_000)
        flags = [value[_HAS_PIVOT] for _, value in kernel.flows.items()]
        assert flags == [pivot is not None] * 2
        assert found(kernel) == {splice(1, pivot=pivot)}
    record = kernel.ledger.get(splice(1).flow)
    assert record is not None
    assert [kernel.tables.last_seen(record, direction) for direction in Direction] == [5.0, 5.0]


def test_a_pivot_is_moved_in_place(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1, pivot=1), splice(2, pivot=2)]))
    kernel.note(splice(1), closing=1)
    moves = kernel.ledger.moves([splice(1, pivot=2**32 - 1), splice(2, pivot=0)])
    assert moves is not None
    kernel.tables.move(moves)
    kernel.ledger.commit_moves(moves)
    assert found(kernel) == {splice(1, pivot=2**32 - 1), splice(2, pivot=0)}
    assert kernel.closing(splice(1)) == 1
    kernel.flows.delete_batch([layout.tuple4(splice(1).flow)])
    with pytest.raises(Unavailable):
        kernel.tables.move(moves)


@pytest.mark.parametrize("change", [{}, {"pivot": 2**32}, {"pivot": 2, "delta": 6}, {"pivot": 2, "server": VIP}])
def test_more_than_a_move_is_none(kernel: Kernel, change: dict[str, object]) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1, pivot=1)]))
    assert kernel.ledger.moves([splice(1, **change)]) is None
    assert kernel.ledger.moves([splice(2, pivot=2)]) is None


def test_the_server_of_a_withdrawn_splice_is_expected(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1), splice(2)]))
    change = kernel.ledger.remove([splice(1).flow])
    kernel.tables.expect(change.old, 7)
    kernel.carry_out(change)
    replies = layout.tuple4(Tuple4(SERVER, splice(1).source))
    assert list(kernel.expected.items()) == [(replies, layout.instant(7 + EXPECTED_FOR))]
    kernel.carry_out(kernel.ledger.install([splice(1)]))
    assert list(kernel.expected.items()) == []


def test_listeners_are_replaced_whole(kernel: Kernel) -> None:
    others = [Listener(Endpoint.parse(f"10.1.0.{host}:443"), Offer(mss=host)) for host in (1, 2)]
    kernel.tables.set_listeners([Listener(VIP)])
    kernel.tables.set_listeners(others)
    assert dict(kernel.listeners.items()) == {layout.endpoint(one.endpoint): layout.offer(one) for one in others}


def _denying(*hosts: int) -> Access:
    return Access(deny=tuple(Prefix(bytes((10, 1, 0, host)), 32) for host in hosts))


def _deny(kernel: Kernel, *lists: Access | None) -> None:
    listeners = [Listener(Endpoint(VIP.address, port), access=access) for port, access in enumerate(lists, 1)]
    kernel.tables.set_listeners(listeners)


def _rules(kernel: Kernel, number: int, access: Access) -> list[bool]:
    """Whether the kernel has each rule of a list."""
    keys = (layout.access_key(number, *prefix) for prefix in access.rules)
    return [kernel.access.lookup(key) is not None for key in keys]


def test_an_access_list_is_there_once_and_goes_with_its_last_listener(kernel: Kernel) -> None:
    first, second = _denying(1, 2), _denying(3)
    _deny(kernel, first, None, first)
    assert all(_rules(kernel, 1, first))
    _deny(kernel, second, first)
    assert all(_rules(kernel, 1, first))
    assert all(_rules(kernel, 2, second))
    _deny(kernel, None, second)
    assert not any(_rules(kernel, 1, first))
    assert all(_rules(kernel, 2, second))
    _deny(kernel)
    assert not any(_rules(kernel, 2, second))


def test_too_many_prefixes_change_nothing(kernel: Kernel) -> None:
    kept = _denying(1)
    _deny(kernel, kept)
    addresses = ((10 << 24 | number).to_bytes(4, "big") for number in range(layout.MAX_ACCESS_RULES))
    many = Access(deny=tuple(Prefix(address, 32) for address in addresses))
    with pytest.raises(TableFull, match="prefixes of access lists do not fit"):
        _deny(kernel, many)
    assert all(_rules(kernel, 1, kept))
    assert len(list(kernel.listeners.items())) == 1


def test_too_many_listeners_change_nothing(kernel: Kernel) -> None:
    kernel.tables.set_listeners([Listener(VIP)])
    many = [Listener(Endpoint(port.to_bytes(4, "big"), 80)) for port in range(layout.MAX_LISTENERS + 1)]
    with pytest.raises(TableFull, match="65537 listeners do not fit"):
        kernel.tables.set_listeners(many)
    assert len(list(kernel.listeners.items())) == 1


def swept(kernel: Kernel, idle_after: float, enough: Callable[[list[Batch]], bool]) -> list[Batch]:
    """What sweeps find until it is enough."""

    async def scenario() -> list[Batch]:
        batches: list[Batch] = []
        done = asyncio.Event()

        def collect(batch: Batch) -> None:
            batches.append(batch)
            if enough(batches):
                done.set()

        sweeping = asyncio.create_task(Sweep(kernel.flows, kernel.ledger, idle_after, collect).run())
        await asyncio.wait_for(done.wait(), 20)
        sweeping.cancel()
        return batches

    return asyncio.run(scenario())


def test_idle_splices_are_found_again_and_again(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1)]), now=time.monotonic_ns() - 10**9)
    kernel.carry_out(kernel.ledger.install([splice(2)]), now=time.monotonic_ns() + 10**12)
    batches = swept(kernel, 0.1, lambda batches: len(batches) == 2)
    for batch in batches:
        (idle,) = batch.idle
        assert idle.flow == splice(1).flow
        assert idle.seconds >= 1.0


def test_a_splice_whose_server_still_sends_is_not_idle(kernel: Kernel) -> None:
    long_ago = time.monotonic_ns() - 10**9
    kernel.carry_out(kernel.ledger.install([splice(1), splice(2)]), now=long_ago)
    toward_client = layout.tuple4(Tuple4(SERVER, splice(1).source))
    fresh = kernel.ledger.install([splice(1)]).new[0]
    fresh.generation = 1
    kernel.flows.update(toward_client, fresh.elements(time.monotonic_ns() + 10**12)[toward_client])
    (batch,) = swept(kernel, 0.1, bool)[:1]
    assert [idle.flow for idle in batch.idle] == [splice(2).flow]


def test_an_end_whose_report_was_lost_is_found_once(kernel: Kernel) -> None:
    kernel.carry_out(kernel.ledger.install([splice(1)]), now=time.monotonic_ns() - 10**9)
    kernel.note(splice(1), closing=layout.CLOSING_FINS)
    batches = swept(kernel, 0.1, lambda batches: len(batches) == 3)
    assert [batch.closed for batch in batches] == [[Closed(splice(1).flow, reset=False)], [], []]
