"""Tables: what packets find, whatever a control plane does in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4model.objects import (
    Action,
    ActionScope,
    CounterInfo,
    Counts,
    Entry,
    Field,
    Key,
    Match,
    MatchKind,
    ProgramInfo,
    RegisterInfo,
    TableInfo,
)
from p4model.state import AlreadyExists, DeviceState, InvalidArgument, NoSpace, NotFound, NotSupported
from p4model.state.aging import Mode, start
from p4model.state.tables import MatchTable

_ACTIONS = (Action("set", (Field("value", 16),)), Action("NoAction", ()))


def _table(*keys: Key, size: int = 16, **more: object) -> MatchTable:
    return MatchTable(TableInfo("Ingress.t", keys, _ACTIONS, size, Entry((), 1), **more))  # type: ignore[arg-type]


def _exact(width: int = 8) -> Key:
    return Key("k", MatchKind.EXACT, width)


def test_an_exact_table() -> None:
    table = _table(_exact(), _exact(), size=2)
    assert table.lookup((1, 2)) == (False, 1, ())
    table.insert((1, 2), 0, (5,))
    assert table.lookup((1, 2)) == (True, 0, (5,))
    assert table.lookup((2, 1)) == (False, 1, ())
    with pytest.raises(AlreadyExists, match=r"Ingress\.t: an entry has this key"):
        table.insert((1, 2), 0, (6,))
    table.insert((2, 1), 0, (6,))
    with pytest.raises(NoSpace, match="2 of 2 entries are used"):
        table.insert((3, 1), 0, (6,))
    table.modify((1, 2), 1, ())
    assert table.lookup((1, 2)) == (True, 1, ())
    table.delete((1, 2))
    with pytest.raises(NotFound):
        table.delete((1, 2))
    with pytest.raises(NotFound):
        table.modify((1, 2), 0, (5,))
    assert len(table.entries) == 1


def test_the_default_entry() -> None:
    table = _table(_exact())
    table.set_default(0, (9,))
    assert table.lookup((1,)) == (False, 0, (9,))
    table.reset_default()
    assert table.lookup((1,)) == (False, 1, ())
    table.set_default(0, (9,))
    table.insert((1,), 0, (1,))
    table.clear()
    assert table.lookup((1,)) == (False, 1, ())


def test_a_table_without_a_key() -> None:
    table = _table()
    assert table.lookup(()) == (False, 1, ())
    with pytest.raises(NotSupported, match="has no key"):
        table.insert((), 0, (1,))
    table.set_default(0, (1,))
    assert table.lookup(()) == (False, 0, (1,))


def test_what_the_program_forbids() -> None:
    const = _table(Key("k", MatchKind.TERNARY, 8), const_entries=(Entry((Match(2, 3),), 0, (1,)),))
    for change in (
        lambda: const.insert((1, 1, 0), 0, (1,)),
        lambda: const.modify((2, 3, 0), 0, (1,)),
        lambda: const.delete((2, 3, 0)),
        const.clear,
    ):
        with pytest.raises(InvalidArgument, match="declares its entries const"):
            change()
    assert const.lookup((6,)) == (True, 0, (1,))
    with pytest.raises(InvalidArgument, match="declares its default action const"):
        _table(_exact(), const_default=True).set_default(0, (1,))
    scoped = (Action("d", (), ActionScope.DEFAULT_ONLY), Action("t", (), ActionScope.TABLE_ONLY))
    table = MatchTable(TableInfo("Ingress.t", (_exact(),), scoped, 4, Entry((), 0)))
    with pytest.raises(InvalidArgument, match="d is DefaultOnly, so an entry cannot have it"):
        table.insert((1,), 0, ())
    with pytest.raises(InvalidArgument, match="t is TableOnly, so the default entry cannot have it"):
        table.set_default(1, ())


_PREFIXES = st.tuples(st.integers(0, 3), st.integers(0, 255), st.integers(0, 8))


@given(st.lists(_PREFIXES, max_size=12), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 255)), max_size=8))
def test_the_longest_prefix_wins(prefixes: list[tuple[int, int, int]], packets: list[tuple[int, int]]) -> None:
    table = _table(_exact(2), Key("p", MatchKind.LPM, 8), size=64)
    kept: dict[tuple[int, int, int], int] = {}
    for number, (domain, value, length) in enumerate(prefixes):
        mask = 0xFF ^ (0xFF >> length)
        key = (domain, value & mask, mask)
        if key in kept:
            table.delete(key)
            del kept[key]
        else:
            table.insert(key, 0, (number,))
            kept[key] = number
    for domain, value in packets:
        fits = [(key[2], number) for key, number in kept.items() if key[0] == domain and value & key[2] == key[1]]
        assert table.lookup((domain, value))[2] == ((max(fits)[1],) if fits else ())


_RULES = st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(0, 7), st.integers(0, 7), st.integers(0, 3))


@given(st.lists(_RULES, max_size=12), st.lists(st.tuples(st.integers(0, 15), st.integers(0, 7)), max_size=8))
def test_the_lowest_priority_wins(rules: list[tuple[int, ...]], packets: list[tuple[int, int]]) -> None:
    table = _table(Key("t", MatchKind.TERNARY, 4), Key("r", MatchKind.RANGE, 3), size=64)
    kept: dict[tuple[int, ...], int] = {}
    for number, (value, mask, one, other, priority) in enumerate(rules):
        key = (value & mask, mask, min(one, other), max(one, other), priority)
        if key in kept:
            table.delete(key)
            del kept[key]
        else:
            table.insert(key, 0, (number,))
            kept[key] = number
        for packet in packets:
            fits = [
                (key[4], number)
                for key, number in kept.items()
                if packet[0] & key[1] == key[0] and key[2] <= packet[1] <= key[3]
            ]
            assert table.lookup(packet)[2] == ((min(fits)[1],) if fits else ())


def test_entries_are_restored() -> None:
    for keys, key, packet in (
        ((_exact(),), (5,), (5,)),
        ((Key("p", MatchKind.LPM, 8),), (4, 0xFC), (5,)),
        ((Key("t", MatchKind.TERNARY, 8),), (4, 0xFC, 1), (5,)),
    ):
        table = _table(*keys)
        absent = table.save(key)
        table.insert(key, 0, (1,))
        present = table.save(key)
        table.modify(key, 0, (2,))
        table.restore(key, present)
        assert table.lookup(packet) == (True, 0, (1,))
        table.delete(key)
        table.restore(key, present)
        assert table.lookup(packet) == (True, 0, (1,))
        table.restore(key, absent)
        table.restore(key, absent)
        assert table.lookup(packet) == (False, 1, ())


def test_direct_counters_wrap() -> None:
    table = _table(_exact(), direct_counter=Counts.PACKETS_AND_BYTES)
    record = table.insert((1,), 0, (5,))
    record.set_counts((1 << 64) - 1, (1 << 64) - 10)
    assert table.lookup_counted((1,), 64) == (True, 0, (5,))
    assert (record.packets, record.octets) == (0, 54)
    assert table.lookup_counted((2,), 64) == (False, 1, ())
    assert table.default.packets == 1


def test_idle_entries_are_found_once_per_spell() -> None:
    table = _table(_exact(), idle_timeout=True)
    table.aging.configure(Mode.NOTIFY, enabled=True, interval=100)
    start(table.insert((1,), 0, (5,)), 250)
    start(table.insert((2,), 0, (5,)), 0)
    found = []
    for step in range(9):
        if step == 5:
            table.lookup_counted((1,), 64)
        sweep = table.aging.sweep()
        found.append((sweep.idle, sweep.active))
    spell: tuple[tuple[list[object], list[object]], ...] = (([], []), ([(1,)], []), ([], [(1,)]))
    nothing, idle, active = spell
    assert found == [nothing, nothing, idle, nothing, nothing, active, nothing, nothing, idle]
    assert len(table.entries) == 2


def test_counters_and_registers() -> None:
    state = DeviceState(
        ProgramInfo(
            (),
            (CounterInfo("c", 2, Counts.PACKETS_AND_BYTES, 8),),
            (RegisterInfo("r", 2, (Field("a", 8), Field("b", 8)), (1, 2)),),
            (),
        )
    )
    counter, register = state.counter("c"), state.register("r")
    for _ in range(3):
        counter.count(1, 100)
    counter.count(2, 100)
    assert counter.read(1, from_hardware=True) == (3, 300 & 0xFF)
    assert counter.read(1, from_hardware=False) == (0, 0)
    assert register.read(1) == (1, 2)
    register.write(1, (3, 4))
    register.write(2, (9, 9))
    assert (register.read(1), register.read(2)) == ((3, 4), (0, 0))
    assert register.get(1, from_hardware=False) == (1, 2)
    register.synchronise()
    assert register.get(1, from_hardware=False) == (3, 4)
    with pytest.raises(InvalidArgument, match="c: index 2 is not below its size, 2"):
        counter.write(2, 1, 1)
    with pytest.raises(InvalidArgument, match="r: index 2 is not below its size, 2"):
        register.set(2, (1, 1))
    with pytest.raises(KeyError):
        state.table("t")
