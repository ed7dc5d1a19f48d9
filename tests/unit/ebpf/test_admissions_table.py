"""Admissions in the kernel's own map: added, renewed, over, revoked, counted, and the paths that they keep."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from fastpath.ebpf import layout
from fastpath.ebpf.admissions import PATHS_STAY, Admissions
from fastpath.ebpf.attachment import SOURCE
from fastpath.ebpf.compile import compiled
from fastpath.ebpf.hashing import TupleHash
from fastpath.ebpf.libbpf import Map, Object
from fastpath.ebpf.paths import Paths
from fastpath.records import ADMISSION_HEADS, MAX_TURNS, Admission
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import ANY, SECOND, SERVER, VIP

HEAD = b"GET / HTTP/1.1\r\n\r\n"
OTHERS = tuple((Endpoint.parse(f"10.2.0.{number}:8080"), number) for number in range(3, 3 + MAX_TURNS))
NEXT_TURN, TURNS, FIRST_PATH = 16, 20, 24
"""Where they are in a struct admission."""


@dataclass
class Kernel:
    """A loaded program that is attached to nothing."""

    admissions: Admissions
    paths: Paths
    maps: Mapping[str, Map]
    used: set[int]
    """The paths of connections that the program has let in."""

    @property
    def held(self) -> list[bytes]:
        return sorted(value for _, value in self.maps["l7lb_admissions"].items())

    def users(self, server: Endpoint = SERVER, number: int = 7) -> int:
        path = self.paths.find(VIP, server, number)
        assert path is not None
        return path.users


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    if os.geteuid():
        pytest.skip("BPF needs root")
    program = Object(compiled(SOURCE))
    program.load()
    paths, used = Paths(TupleHash(ANY, 8), lambda number, value: None, lambda number: None, capacity=8), set[int]()
    counts = program.maps["l7lb_accepted"]
    admissions = Admissions(program.maps["l7lb_admissions"], counts, bytes(16), paths, lambda: used)
    yield Kernel(admissions, paths, program.maps, used)
    program.close()


def admission(
    until: float, head: bytes = HEAD, servers: tuple[tuple[Endpoint, int], ...] = ((SERVER, 7),)
) -> Admission:
    return Admission(VIP, head, servers, routed=False, label=5, until=until)


def number(value: bytes, offset: int) -> int:
    return int.from_bytes(value[offset : offset + 4], "little")


def test_one_is_as_the_program_reads_it(kernel: Kernel) -> None:
    kernel.admissions.set([replace(admission(2.0, b"12345678\xff"), routed=True)], 0)
    (value,) = kernel.held
    path = kernel.paths.find(VIP, SERVER, 7)
    assert path is not None
    words = [int.from_bytes(value[at : at + 4], "little") for at in range(0, 96, 4)]
    assert words[:2] == [2 * SECOND, 0]
    assert words[2:8] == [5, 1, 0, 1, path.number, 0]
    total = sum(int.from_bytes(pair, "little") for pair in (b"12", b"34", b"56", b"78", b"\xff\0"))
    assert words[22:24] == [9, total]
    assert value[96:105] == b"12345678\xff"
    assert len(value) == 96 + 1464


def test_one_with_the_same_head_takes_its_place_and_its_turn(kernel: Kernel) -> None:
    kernel.admissions.set([admission(2.0)], 0)
    ((key, value),) = kernel.maps["l7lb_admissions"].items()
    kernel.maps["l7lb_admissions"].update(key, value[:NEXT_TURN] + layout.number(41) + value[NEXT_TURN + 4 :])
    kernel.admissions.set([admission(3.0, servers=OTHERS[:2])], 1)
    (value,) = kernel.held
    assert number(value, NEXT_TURN) == 41
    assert number(value, TURNS) == 2
    assert value[:8] == layout.instant(3 * SECOND)


def test_what_is_over_goes_with_the_next_ones(kernel: Kernel) -> None:
    kernel.admissions.set([admission(2.0, b"a" * 8), admission(2.0, b"b" * 8)], 0)
    kernel.admissions.set([admission(3.0, b"a" * 8)], SECOND)
    kernel.admissions.set([admission(4.0, b"c" * 8)], 2 * SECOND)
    assert {value[:8] for value in kernel.held} == {layout.instant(3 * SECOND), layout.instant(4 * SECOND)}


def test_revoked_ones_are_gone_and_may_come_again(kernel: Kernel) -> None:
    kernel.admissions.set([admission(2.0)], 0)
    kernel.admissions.revoke()
    kernel.admissions.revoke()
    assert kernel.held == []
    kernel.admissions.set([admission(2.0)], 0)
    assert len(kernel.held) == 1


def test_one_that_the_program_has_taken_out_may_come_again(kernel: Kernel) -> None:
    kernel.admissions.set([admission(2.0)], 0)
    kernel.maps["l7lb_admissions"].delete_batch([key for key, _ in kernel.maps["l7lb_admissions"].items()])
    kernel.admissions.set([admission(3.0)], 1)
    assert len(kernel.held) == 1
    kernel.maps["l7lb_admissions"].delete_batch([key for key, _ in kernel.maps["l7lb_admissions"].items()])
    kernel.admissions.revoke()


@pytest.mark.parametrize(
    "one",
    [
        admission(2.0, bytes(ADMISSION_HEADS.start - 1)),
        admission(2.0, bytes(ADMISSION_HEADS.stop)),
        admission(2.0, servers=()),
        admission(2.0, servers=((SERVER, 7), *OTHERS)),
        admission(2.0, servers=((Endpoint.parse("[2001:db8::2]:80"), 7),)),
        replace(admission(2.0), vip=Endpoint.parse("[2001:db8::100]:80")),
    ],
)
def test_what_the_program_cannot_do_is_passed_over(kernel: Kernel, one: Admission) -> None:
    kernel.admissions.set([one, admission(2.0, b"another one")], 0)
    assert len(kernel.held) == 1


def test_what_finds_no_room_is_passed_over(kernel: Kernel) -> None:
    many = [admission(2.0, count.to_bytes(8, "big")) for count in range(layout.MAX_ADMISSIONS + 10)]
    kernel.admissions.set(many, 0)
    assert len(kernel.held) == layout.MAX_ADMISSIONS
    kernel.admissions.set([admission(4.0, b"another one")], 2 * SECOND)
    assert len(kernel.held) == 1


def test_without_paths_there_is_none(kernel: Kernel) -> None:
    kernel.admissions.set([admission(2.0, servers=OTHERS[:9]), admission(2.0, servers=OTHERS[:1])], 0)
    assert len(kernel.held) == 1


def test_paths_stay_for_a_while(kernel: Kernel) -> None:
    kernel.admissions.set([admission(1.0), admission(2.0, b"another one")], 0)
    assert kernel.users() == 1
    kernel.admissions.set([admission(3.0, servers=OTHERS[:1])], SECOND)
    kernel.admissions.set([], 2 * SECOND + PATHS_STAY - 1)
    assert (kernel.users(), kernel.users(*OTHERS[0])) == (1, 1)
    kernel.admissions.set([], 2 * SECOND + PATHS_STAY)
    assert (kernel.users(), kernel.users(*OTHERS[0])) == (0, 1)
    kernel.admissions.set([admission(30.0)], 20 * SECOND)
    assert kernel.users() == 1


def test_or_as_long_as_connections_have_them(kernel: Kernel) -> None:
    kernel.admissions.set([admission(1.0)], 0)
    path = kernel.paths.find(VIP, SERVER, 7)
    assert path is not None
    kernel.used.add(path.number)
    kernel.admissions.set([], 100 * SECOND)
    assert kernel.users() == 1
    kernel.used.clear()
    kernel.admissions.set([], 100 * SECOND)
    assert kernel.users() == 0


def test_counts_are_by_label(kernel: Kernel) -> None:
    assert kernel.admissions.counted() == {}
    kernel.admissions.set([admission(2.0)], 0)
    assert kernel.admissions.counted() == {5: 0}
    counts = kernel.maps["l7lb_accepted"]
    empty = counts.lookup(layout.number(5))
    assert empty is not None
    counts.update(layout.number(5), b"".join(layout.instant(3) for _ in range(len(empty) // 8)))
    assert kernel.admissions.counted() == {5: 3 * len(empty) // 8}
