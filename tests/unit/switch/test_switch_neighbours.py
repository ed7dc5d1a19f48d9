"""Whom the neighbour table asks, how often, and what it believes."""

from __future__ import annotations

from fastpath.switch.neighbours import CAPACITY, Neighbours
from fastpath.switch.network import Neighbour

NEIGHBOUR, OTHER = Neighbour(0, bytes((10, 1, 0, 2))), Neighbour(1, bytes((10, 2, 0, 2)))
MAC, OTHER_MAC = b"\2" * 6, b"\4" * 6


def queries(table: Neighbours, until: float) -> list[tuple[float, Neighbour, bytes | None]]:
    """All queries up to `until`, each at its time."""
    found = []
    while table.next_deadline is not None and table.next_deadline <= until:
        now = table.next_deadline
        found += [(now, *query) for query in table.advance(now)]
    return found


def test_a_wanted_neighbour_is_asked_for_ever_more_slowly() -> None:
    table = Neighbours()
    table.want({NEIGHBOUR}, 0.0)
    asked = queries(table, 200.0)
    assert [when for when, _, _ in asked] == [0, 1, 2, 3, 5, 9, 17, 33, 65, 97, 129, 161, 193]
    assert {(neighbour, mac) for _, neighbour, mac in asked} == {(NEIGHBOUR, None)}
    assert not table.resolved


def test_another_is_asked_three_times() -> None:
    table = Neighbours()
    table.seek(NEIGHBOUR, 10.0)
    table.seek(NEIGHBOUR, 10.5)
    assert table.resolving == {NEIGHBOUR}
    assert [when for when, _, _ in queries(table, 100.0)] == [10, 11, 12]
    assert not table.resolving
    assert table.next_deadline is None
    table.seek(NEIGHBOUR, 101.0)
    assert len(queries(table, 200.0)) == 3


def test_an_answer_is_confirmed_every_minute_until_it_fails() -> None:
    table = Neighbours()
    table.seek(NEIGHBOUR, 0.0)
    table.advance(0.0)
    table.heard(NEIGHBOUR, MAC, 0.5, asked_us=False)
    assert table.resolved == {NEIGHBOUR: MAC}
    assert not table.resolving
    assert table.advance(60.0) == []
    [query] = table.advance(60.5)
    assert query.mac == MAC
    table.heard(NEIGHBOUR, MAC, 60.6, asked_us=False)
    asked = queries(table, 1000.0)
    assert [round(when, 1) for when, _, _ in asked] == [120.6, 121.6, 122.6]
    assert not table.resolved
    assert table.next_deadline is None


def test_a_wanted_one_that_falls_silent_is_asked_for_on_and_on() -> None:
    table = Neighbours()
    table.want({NEIGHBOUR}, 0.0)
    table.heard(NEIGHBOUR, MAC, 0.0, asked_us=False)
    asked = queries(table, 70.0)
    assert [(when, mac) for when, _, mac in asked] == [
        (60, MAC),
        (61, MAC),
        (62, MAC),
        (63, None),
        (65, None),
        (69, None),
    ]
    table.heard(NEIGHBOUR, OTHER_MAC, 70.0, asked_us=False)
    assert table.resolved == {NEIGHBOUR: OTHER_MAC}
    table.want(set(), 71.0)
    assert len(queries(table, 1000.0)) == 3


def test_only_those_who_ask_for_us_are_learned_unasked() -> None:
    table = Neighbours()
    table.heard(NEIGHBOUR, MAC, 0.0, asked_us=False)
    assert not table.resolved
    table.heard(NEIGHBOUR, MAC, 0.0, asked_us=True)
    before = table.resolved
    table.heard(OTHER, MAC, 0.0, asked_us=False)
    table.heard(NEIGHBOUR, MAC, 1.0, asked_us=False)
    assert table.resolved is before
    table.heard(NEIGHBOUR, OTHER_MAC, 1.0, asked_us=False)
    assert table.resolved == {NEIGHBOUR: OTHER_MAC}
    assert before == {NEIGHBOUR: MAC}


def test_strangers_cannot_fill_the_table_against_those_that_are_wanted() -> None:
    table = Neighbours()
    for number in range(CAPACITY + 10):
        table.seek(Neighbour(0, number.to_bytes(4, "big")), 0.0)
    assert len(table.advance(0.0)) == CAPACITY
    table.heard(NEIGHBOUR, MAC, 0.0, asked_us=True)
    assert not table.resolved
    table.want({OTHER}, 0.0)
    table.heard(OTHER, MAC, 0.0, asked_us=False)
    assert table.resolved == {OTHER: MAC}
