"""Paths: one number for each while it is used, and no number that a program may still look at."""

from __future__ import annotations

import pytest

from fastpath.ebpf import layout
from fastpath.ebpf.hashing import TupleHash
from fastpath.ebpf.paths import Path, Paths
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.errors import TableFull, Unavailable
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import ANY, SERVER, VIP

LATER = 2 * GRACE


def _ignore(number: int) -> None:
    """No precedents are about any path."""


def wanted(paths: Paths, server_id: int, now: int = 0) -> Path:
    return paths.wanted(VIP, SERVER, server_id, now)


def test_a_path_is_written_once() -> None:
    written: list[tuple[int, bytes]] = []
    paths = Paths(TupleHash(ANY, 1), lambda number, value: written.append((number, value)), _ignore)
    assert wanted(paths, 1) is wanted(paths, 1)
    assert wanted(paths, 2).number == 1
    assert written == [(0, layout.path(VIP, SERVER, 1)), (1, layout.path(VIP, SERVER, 2))]
    assert paths[1].server_id == 2
    assert paths.servers == {1, 2}


def test_a_number_is_used_again_when_it_is_needed_and_has_rested() -> None:
    paths = Paths(TupleHash(ANY, 1), lambda number, value: None, _ignore, capacity=2)
    wanted(paths, 1).users += 1
    wanted(paths, 2).users += 1
    with pytest.raises(TableFull, match="all 2 paths are taken"):
        wanted(paths, 3, LATER)
    paths.release(1, LATER)
    with pytest.raises(TableFull):
        wanted(paths, 3, LATER + GRACE - 1)
    assert wanted(paths, 3, LATER + GRACE).number == 1
    assert (paths[1].server_id, paths[0].server_id) == (3, 1)
    assert paths.servers == {1, 2, 3}


def test_a_path_that_is_wanted_stays() -> None:
    paths = Paths(TupleHash(ANY, 1), lambda number, value: None, _ignore, capacity=1)
    wanted(paths, 1)
    again = wanted(paths, 1, LATER)
    with pytest.raises(TableFull):
        wanted(paths, 2, LATER)
    assert wanted(paths, 1, LATER) is again


def test_one_that_cannot_be_written_is_not_there() -> None:
    def write(_number: int, _value: bytes) -> None:
        raise Unavailable("gone")

    paths = Paths(TupleHash(ANY, 1), write, _ignore)
    with pytest.raises(Unavailable):
        paths.wanted(VIP, Endpoint.parse("10.2.0.9:80"), 1, 0)
    assert paths.servers == set()
