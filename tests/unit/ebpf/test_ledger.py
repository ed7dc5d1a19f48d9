"""Batches are judged whole, before the kernel sees any of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastpath.ebpf import layout
from fastpath.ebpf.ledger import Ledger
from fastpath.errors import Rejected, TableFull
from fastpath.interface import Closed
from fastpath.records import Direction, Flow, Splice
from slowpath.wire.endpoint import Endpoint

VIP = Endpoint.parse("10.1.0.100:80")
SERVER = Endpoint.parse("10.2.0.2:8080")


def splice(port: int = 1, **changes: object) -> Splice:
    client = Endpoint(bytes((10, 1, 0, 2)), port)
    return replace(Splice(Flow(client, VIP), SERVER, 7, client, delta=5), **changes)  # type: ignore[arg-type]


def installed(ledger: Ledger, *splices: Splice) -> None:
    ledger.commit(ledger.install(splices))


def test_capacity_counts_splices_that_are_new() -> None:
    ledger = Ledger(2)
    installed(ledger, splice(1), splice(2))
    installed(ledger, splice(2, delta=6))
    with pytest.raises(TableFull, match="1 more splices do not fit: 2 of 2 are taken"):
        ledger.install([splice(1), splice(3)])
    assert len(ledger) == 2


def test_what_is_only_judged_changes_nothing() -> None:
    ledger = Ledger(2)
    ledger.install([splice(1)])
    assert ledger.get(splice(1).flow) is None


def test_a_flow_that_is_there_is_replaced() -> None:
    ledger = Ledger(2)
    installed(ledger, splice(1))
    change = ledger.install([splice(1, delta=9)])
    assert [record.splice.delta for record in change.old] == [5]
    assert [record.splice.delta for record in change.new] == [9]
    assert change.old[0].generation != change.new[0].generation


def test_the_last_of_a_flow_in_a_batch_counts() -> None:
    change = Ledger(1).install([splice(1), splice(1, delta=9)])
    assert [record.splice.delta for record in change.new] == [9]


def test_a_server_tells_connections_apart_by_their_source() -> None:
    ledger = Ledger(4)
    installed(ledger, splice(1))
    other_vip = Flow(splice(1).flow.client, Endpoint.parse("10.1.0.101:80"))
    with pytest.raises(
        Rejected, match=r"10\.2\.0\.2:8080 > 10\.1\.0\.2:1 belong to splice 10\.1\.0\.2:1 > 10\.1\.0\.100:80"
    ):
        ledger.install([splice(1, flow=other_vip)])
    with pytest.raises(Rejected):
        Ledger(4).install([splice(1), splice(1, flow=other_vip)])


def test_a_replaced_splice_gives_its_source_up() -> None:
    ledger = Ledger(4)
    source = Endpoint.parse("10.2.0.77:61000")
    installed(ledger, splice(1, source=source))
    change = ledger.install([splice(1), splice(2, source=source)])
    ledger.commit(change)
    assert len(ledger) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": Endpoint(bytes(16), 80)}, "server and source are of different IP versions"),
        ({"source": Endpoint(bytes(4), 65536)}, "port 65536 is outside"),
        ({"server_id": 65536}, "server_id 65536 is outside"),
        ({"delta": -1}, "delta -1 is outside"),
        ({"timestamp_delta": 2**32}, "timestamp_delta 4294967296 is outside"),
        ({"pivot": 2**32}, "pivot 4294967296 is outside"),
    ],
)
def test_values_out_of_range_are_rejected(changes: dict[str, object], message: str) -> None:
    with pytest.raises(Rejected, match=message):
        Ledger(1).install([splice(1, **changes)])


def test_only_what_is_there_can_be_updated() -> None:
    with pytest.raises(Rejected, match="not there to be updated"):
        Ledger(1).update([splice(1)])


def test_a_moved_pivot_leaves_the_splice_the_same() -> None:
    ledger = Ledger(1)
    installed(ledger, splice(1))
    before = ledger.get(splice(1).flow)
    moved = ledger.update([splice(1, pivot=77)])
    assert before is not None
    assert moved.new[0].generation == before.generation
    assert ledger.update([splice(1, delta=6)]).new[0].generation != before.generation


def test_removing_what_is_not_there_is_passed_over() -> None:
    ledger = Ledger(1)
    installed(ledger, splice(1))
    change = ledger.remove([splice(2).flow, splice(1).flow, splice(1).flow])
    assert [record.splice for record in change.old] == [splice(1)]


def test_an_end_is_reported_once_per_cause_and_not_for_an_earlier_splice() -> None:
    ledger = Ledger(1)
    installed(ledger, splice(1))
    flow = splice(1).flow
    record = ledger.get(flow)
    assert record is not None
    generation = record.generation
    reset, by_both = layout.RESET_BITS[Direction.TO_CLIENT], layout.CLOSING_RESET
    both = layout.CLOSING_FINS | reset
    assert ledger.ended(flow, generation, 1) == []
    assert ledger.ended(flow, generation, layout.CLOSING_FINS) == [Closed(flow, reset=False)]
    assert ledger.ended(flow, generation, both) == [Closed(flow, reset=True, by=Direction.TO_CLIENT)]
    assert ledger.ended(flow, generation, layout.CLOSING_FINS | by_both) == []
    assert ledger.ended(flow, generation, both) == []
    installed(ledger, splice(1))
    assert ledger.ended(flow, generation, both) == []


def test_whose_reset_was_first_is_not_known_once_both_have_passed() -> None:
    ledger = Ledger(1)
    installed(ledger, splice(1))
    record = ledger.get(splice(1).flow)
    assert record is not None
    assert ledger.ended(splice(1).flow, record.generation, layout.CLOSING_RESET) == [Closed(splice(1).flow, reset=True)]


endpoints = st.builds(Endpoint, st.binary(min_size=4, max_size=4), st.integers(0, 65535))
numbers = st.integers(0, 2**32 - 1)


@given(
    st.builds(
        Splice,
        st.builds(Flow, endpoints, endpoints),
        endpoints,
        st.integers(0, 65535),
        endpoints,
        numbers,
        numbers,
        st.none() | numbers,
    )
)
def test_a_splice_is_read_back_from_its_elements(written: Splice) -> None:
    assume(written.flow != (written.server, written.source))
    change = Ledger(1).install([written])
    read = [layout.splice(key, value) for key, value in change.new[0].elements(now=1).items()]
    assert [splice for splice in read if splice] == [written]
