"""Precedents in the kernel's own map: added, renewed, over, revoked, and counted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from fastpath.ebpf import layout
from fastpath.ebpf.attachment import SOURCE, load
from fastpath.ebpf.compile import compiled
from fastpath.ebpf.libbpf import Map, Object
from fastpath.ebpf.precedents import Precedents
from fastpath.ebpf.splices import Splices
from fastpath.records import LABELS, Direction, Followed, Precedent
from tests.unit.ebpf.memory import SERVER, VIP, make, splice

SECOND = 1_000_000_000


@dataclass
class Kernel:
    """A loaded program that is attached to nothing."""

    precedents: Precedents
    splices: Splices
    maps: Mapping[str, Map]

    @property
    def held(self) -> dict[int, list[bytes]]:
        """What there is, by path."""
        held: dict[int, list[bytes]] = {}
        for key, value in self.maps["l7lb_precedents"].items():
            held.setdefault(layout.path_of(key), []).append(value)
        return {path: sorted(values) for path, values in held.items()}


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    if os.geteuid():
        pytest.skip("BPF needs root")
    program = Object(compiled(SOURCE))
    loaded = load(program, 4, cpu_ifindex=1)
    yield Kernel(loaded.precedents, loaded.splices, program.maps)
    loaded.splices.close()
    program.close()


def held(head: bytes, until: float, label: int = 0) -> Precedent:
    return Precedent(VIP, SERVER, 7, head, label, until)


def value(until: float, label: int = 0) -> bytes:
    return layout.precedent(int(until * SECOND), label)


def test_they_are_kept_by_path_and_head(kernel: Kernel) -> None:
    kernel.precedents.set([(3, held(b"a", 2.0)), (3, held(b"b", 2.5, LABELS - 1)), (4, held(b"a", 3.0))], SECOND)
    assert kernel.held == {3: [value(2.0), value(2.5, LABELS - 1)], 4: [value(3.0)]}


def test_what_is_over_goes_with_the_next_ones(kernel: Kernel) -> None:
    kernel.precedents.set([(0, held(b"a", 2.0)), (0, held(b"b", 2.0))], SECOND)
    kernel.precedents.set([(0, held(b"a", 3.0))], 3 * SECOND // 2)
    kernel.precedents.set([(0, held(b"c", 3.5))], 2 * SECOND)
    assert kernel.held == {0: [value(3.0), value(3.5)]}


def test_revoked_ones_are_gone_and_may_come_again(kernel: Kernel) -> None:
    kernel.precedents.set([(0, held(b"a", 2.0)), (1, held(b"b", 2.0))], SECOND)
    kernel.precedents.revoke()
    assert kernel.held == {}
    kernel.precedents.revoke()
    kernel.precedents.set([(0, held(b"a", 2.0))], SECOND)
    assert kernel.held == {0: [value(2.0)]}


def test_those_of_a_path_whose_number_is_given_away_are_gone(kernel: Kernel) -> None:
    kernel.precedents.set([(0, held(b"a", 2.0)), (1, held(b"a", 2.0)), (1, held(b"b", 2.0))], SECOND)
    kernel.precedents.retire(1)
    assert kernel.held == {0: [value(2.0)]}


def test_what_finds_no_room_is_passed_over(kernel: Kernel) -> None:
    many = [(0, held(number.to_bytes(3, "big"), 2.0)) for number in range(layout.MAX_PRECEDENTS + 10)]
    kernel.precedents.set(many, SECOND)
    assert len(kernel.held[0]) == layout.MAX_PRECEDENTS
    kernel.precedents.set([(1, held(b"another", 4.0))], 2 * SECOND)
    assert kernel.held == {1: [value(4.0)]}


def test_counts_are_by_label(kernel: Kernel) -> None:
    assert kernel.precedents.counted() == {}
    kernel.precedents.set([(0, held(b"a", 2.0, 5)), (0, held(b"b", 2.0, 6))], SECOND)
    counts = kernel.maps["l7lb_followed"]
    (empty, each) = (counts.lookup(layout.number(5)), 8)
    assert empty is not None
    counts.update(layout.number(5), b"".join(layout.instant(3) for _ in range(len(empty) // each)))
    assert kernel.precedents.counted() == {5: 3 * len(empty) // each, 6: 0}


# What a record knows


def test_a_splice_that_has_followed_none_says_so() -> None:
    splices, _ = make(4)
    splices.install([splice(1, pivot=10, follows_precedents=True)], 0)
    assert splices.followed(splice(1).flow) is None
    assert splices.followed(splice(2).flow) is None
    assert list(splices) == [splice(1, pivot=10, follows_precedents=True)]


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (0, Followed(30, 20, 99)),
        (16, Followed(30, None, None)),
        (layout.RESET_BITS[Direction.TO_SERVER], Followed(30, None, None)),
    ],
)
def test_what_a_splice_has_followed(closing: int, expected: Followed) -> None:
    splices, memory = make(4)
    one = splice(1, pivot=10, follows_precedents=True)
    splices.install([one], 0)
    memory.note(0, layout.PIVOT, 30)
    memory.note(0, layout.REQUEST_START, 20)
    memory.note(0, layout.RESPONSE_START, 99)
    memory.note(0, layout.CLOSING, layout.FOLLOWED | closing)
    assert splices.followed(one.flow) == expected


@pytest.mark.parametrize(("moved_to", "wanted", "there"), [(30, 20, 30), (30, 40, 40), (5, 2**32 - 5, 5), (30, 30, 30)])
def test_a_pivot_is_not_moved_back(moved_to: int, wanted: int, there: int) -> None:
    splices, memory = make(4)
    splices.install([splice(1, pivot=10, follows_precedents=True)], 0)
    memory.note(0, layout.PIVOT, moved_to)
    memory.note(0, layout.CLOSING, layout.FOLLOWED)
    splices.update([splice(1, pivot=wanted, follows_precedents=True)], 0)
    assert memory.word(0, layout.PIVOT) == there
    splices.update([splice(1, pivot=None, follows_precedents=True)], 0)
    assert [one.pivot for one in splices] == [None]


def test_one_that_follows_none_has_its_pivot_moved_anywhere() -> None:
    splices, memory = make(4)
    splices.install([splice(1, pivot=10)], 0)
    splices.update([splice(1, pivot=5)], 0)
    assert memory.word(0, layout.PIVOT) == 5
