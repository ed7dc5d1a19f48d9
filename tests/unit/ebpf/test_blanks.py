"""Blank records, and who owns what the program makes of them; without a program."""

from __future__ import annotations

import struct
from typing import cast

import pytest

from fastpath.ebpf import layout
from fastpath.ebpf.blanks import ABANDONED_AFTER, Blanks
from fastpath.ebpf.libbpf import Map
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.ebpf.sizes import Sizes
from fastpath.ebpf.splices import Splices
from fastpath.records import Direction, Splice, Tuple4
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import SECOND, VIP, Memory, make, splice

CAPACITY = 1024
COUNT = 16
LEAD, LABEL = 0x5A5, 0xABC
BOTH = layout.CLOSING_FINS
NOW = 100 * SECOND


class Table:
    """A map of the program's."""

    def __init__(self) -> None:
        self.elements: dict[bytes, bytes] = {}
        self.queue: list[tuple[int, int]] = []

    def lookup(self, key: bytes) -> bytes | None:
        return self.elements.get(key)

    def delete_batch(self, keys: list[bytes]) -> None:
        for key in keys:
            self.elements.pop(key, None)

    def push(self, value: bytes) -> None:
        self.queue.append(struct.unpack("=II", value))


class Setting:
    """Splices, blank records, and a program that is played."""

    def __init__(self, capacity: int = CAPACITY, count: int = COUNT) -> None:
        self.splices: Splices
        self.memory: Memory
        self.splices, self.memory = make(capacity)
        # A path for the program to name.
        self.splices.install([splice(1)], 0)
        self.splices.remove([splice(1).flow], 0)
        self.tables = {f"l7lb_{name}": Table() for name in ("blanks", "ended", "admitted")}
        self.blanks = Blanks(self.splices, cast(dict[str, Map], self.tables), count)
        self.blanks.fill(NOW)

    @property
    def handed_out(self) -> list[int]:
        return [number for number, _ in self.tables["l7lb_blanks"].queue]

    @property
    def entries(self) -> dict[bytes, bytes]:
        return self.tables["l7lb_admitted"].elements

    def let_in(self, number: int, port: int, flags: int = 0, now: int = NOW) -> Splice:
        """Make a splice of a record, as the program does."""
        one = splice(port)
        record = layout.record(one, 0, 0, layout.tick(now))
        self.splices.records.write(number, record)
        self.memory.note(number, layout.FLAGS, layout.ADMITTED | LEAD << 9 | LABEL << 20 | flags)
        for direction, translation in enumerate(one.translations()):
            self.entries[layout.ipv4_tuple(*translation.match)] = layout.number(1 << 30 | direction << 31 | number)
        return one

    def look(self, now: int = NOW) -> list[Splice]:
        self.blanks.turn(now)
        return [admitted.splice for admitted in self.blanks.take()]


def test_as_many_are_out_as_there_may_be() -> None:
    setting = Setting()
    assert len(set(setting.handed_out)) == COUNT
    setting.blanks.fill(NOW)
    assert len(setting.handed_out) == COUNT
    assert all(layout.age(since, NOW) << layout.TICK_SHIFT >= GRACE for _, since in setting.tables["l7lb_blanks"].queue)


def test_splices_go_first() -> None:
    assert Setting(capacity=2 * COUNT - 1).handed_out == []
    assert len(Setting(capacity=2 * COUNT).handed_out) == COUNT


@pytest.mark.parametrize(
    ("capacity", "count"), [(1023, 0), (1024, 128), (131_072, 16384), (1_048_576, 16384), (1 << 24, 16384)]
)
def test_how_many_there_may_be(capacity: int, count: int) -> None:
    sizes = Sizes(capacity)
    assert sizes.blanks == count
    assert sizes.records <= 1 << 24
    assert sizes.maps["l7lb_admitted"] >= max(2 * count, 1)


def test_what_was_there_at_the_last_look_is_taken_over() -> None:
    setting = Setting()
    one = setting.let_in(3, 10)
    assert setting.look() == []
    assert setting.look() == [one]
    assert list(setting.splices) == [one]
    assert (setting.entries, len(setting.splices)) == ({}, 1)
    assert setting.memory.word(3, layout.FLAGS) == 0
    assert setting.memory.word(3, layout.GENERATION) != 0
    assert len(setting.handed_out) == COUNT + 1
    assert setting.look() == []


def test_what_is_told_of_it() -> None:
    setting = Setting()
    one = setting.let_in(3, 10, layout.HAS_PIVOT | layout.FOLLOWS_PRECEDENTS)
    setting.memory.note(3, layout.PIVOT, 77)
    setting.memory.note(3, layout.CLOSING, layout.FOLLOWED)
    admitted = setting.blanks.hand_over(one.translations()[Direction.TO_CLIENT].match, NOW)
    assert admitted is not None
    assert (admitted.label, admitted.lead) == (LABEL, LEAD)
    assert admitted.followed is not None
    assert admitted.followed.pivot == admitted.splice.pivot == 77
    assert setting.memory.word(3, layout.FLAGS) == layout.HAS_PIVOT | layout.FOLLOWS_PRECEDENTS


def test_another_client_in_the_same_record_has_its_own_time() -> None:
    setting = Setting()
    setting.let_in(3, 10)
    assert setting.look() == []
    other = setting.let_in(3, 11)
    assert setting.look() == []
    assert setting.look() == [other]


@pytest.mark.parametrize("flags", [layout.ASKING, layout.GONE, layout.BLANK])
def test_what_is_no_splice_is_not(flags: int) -> None:
    setting = Setting()
    one = setting.let_in(3, 10, flags)
    for _ in range(3):
        assert setting.look() == []
    assert setting.blanks.hand_over(one.translations()[0].match, NOW) is None


@pytest.mark.parametrize("closing", [BOTH, BOTH | 0x30, *layout.RESET_BITS.values()])
def test_nor_is_what_has_ended(closing: int) -> None:
    setting = Setting()
    one = setting.let_in(3, 10)
    setting.memory.note(3, layout.CLOSING, closing)
    for _ in range(3):
        assert setting.look() == []
    assert setting.blanks.hand_over(one.translations()[0].match, NOW) is None
    assert setting.tables["l7lb_ended"].queue == []


def test_an_end_that_the_program_may_have_taken_for_a_splices() -> None:
    setting = Setting()
    one = setting.let_in(3, 10)
    order = setting.splices.records.order

    def ends_meanwhile() -> None:
        assert setting.memory.word(3, layout.GENERATION) != 0
        setting.memory.note(3, layout.CLOSING, BOTH)
        order()

    setting.splices.records.order = ends_meanwhile  # type: ignore[method-assign]
    assert setting.blanks.hand_over(one.translations()[0].match, NOW) is None
    assert setting.tables["l7lb_ended"].queue == [(3, layout.tick(NOW))]
    assert setting.memory.word(3, layout.GENERATION) == 0
    assert list(setting.splices) == []
    assert len(setting.splices) == setting.memory.entries() == 0


def test_its_end_is_reported_once_it_is_taken_over() -> None:
    setting = Setting()
    one = setting.let_in(3, 10)
    assert setting.blanks.hand_over(one.translations()[0].match, NOW)
    (closed,) = setting.splices.ended(3, setting.memory.word(3, layout.GENERATION), BOTH)
    assert closed.flow == one.flow
    setting.splices.remove([one.flow], NOW)
    assert setting.memory.entries() == 0


def test_some_are_taken_over_at_once_and_the_rest_soon_after() -> None:
    setting = Setting(capacity=4096, count=1000)
    for number in setting.handed_out:
        setting.let_in(number, 1 + number)
    assert [len(setting.look()) for _ in range(4)] == [0, 512, 488, 0]


def test_a_full_table_leaves_them_where_they_are() -> None:
    setting = Setting(capacity=2 * COUNT)
    setting.splices.install([splice(1000 + port) for port in range(2 * COUNT)], 0)
    one = setting.let_in(3, 10)
    for _ in range(3):
        assert setting.look() == []
    assert len(setting.entries) == 2
    setting.splices.remove([splice(1000).flow], 0)
    assert setting.look() == [one]


def test_nobody_has_a_4_tuple_twice() -> None:
    setting = Setting()
    one = setting.let_in(3, 10)
    setting.splices.install([splice(10, delta=9)], NOW)
    assert setting.blanks.hand_over(one.translations()[0].match, NOW) is None
    assert list(setting.splices) == [splice(10, delta=9)]
    assert setting.memory.word(3, layout.GENERATION) == 0


def test_nothing_is_known_of_other_packets() -> None:
    setting = Setting()
    assert setting.blanks.hand_over(Tuple4(splice(1).flow.client, VIP), NOW) is None
    client = Endpoint.parse("[2001:db8::2]:1")
    assert setting.blanks.hand_over(Tuple4(client, Endpoint.parse("[2001:db8::100]:80")), NOW) is None


def test_a_record_that_nobody_waits_for_is_blank_again() -> None:
    setting = Setting()
    setting.let_in(3, 10, layout.ASKING)
    setting.look(NOW + ABANDONED_AFTER - SECOND // 100)
    assert len(setting.entries) == 2
    setting.look(NOW + ABANDONED_AFTER + SECOND // 100)
    assert setting.entries == {}
    setting.look(NOW + ABANDONED_AFTER + SECOND // 100 + GRACE // 2)
    assert len(setting.handed_out) == COUNT
    setting.look(NOW + ABANDONED_AFTER + SECOND // 100 + GRACE)
    assert setting.handed_out[-1] == 3
    assert setting.memory.word(3, layout.FLAGS) == layout.BLANK


def test_a_server_that_answers_just_then_has_its_splice_taken_over() -> None:
    setting = Setting()
    one = setting.let_in(3, 10, layout.ASKING)
    late = NOW + ABANDONED_AFTER + SECOND // 100
    assert setting.look(late) == []
    setting.memory.note(3, layout.FLAGS, layout.ADMITTED)
    assert setting.look(late + GRACE) == [one]


def test_or_the_program_ends_it() -> None:
    setting = Setting()
    setting.let_in(3, 10, layout.ASKING)
    late = NOW + ABANDONED_AFTER + SECOND // 100
    setting.look(late)
    setting.memory.note(3, layout.CLOSING, layout.RESET_BITS[Direction.TO_CLIENT])
    assert setting.look(late + GRACE) == []
    assert len(setting.handed_out) == COUNT


def test_which_paths_are_in_use() -> None:
    setting = Setting()
    assert setting.blanks.paths() == set()
    setting.let_in(3, 10)
    assert setting.blanks.paths() == {0}
