"""The index where it gets tight: tuples that meet, buckets that are full, entries that are moved."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.ebpf import layout
from fastpath.ebpf.hashing import SECRETS, TupleHash
from fastpath.ebpf.index import BUCKET, TO_CLIENT, Index, Plan
from fastpath.errors import TableFull
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import ANY, make, splice

MODULUS = 1 << 64
FULL = TO_CLIENT | 0x4000_00FF
"""An entry that cannot be moved."""


def test_tuples_of_one_hash_are_told_apart() -> None:
    splices, memory = make(4, secrets=(0,) * SECRETS)
    batch = [splice(port) for port in range(1, 5)]
    splices.install(batch, 0)
    assert memory.entries() == BUCKET
    for one in batch:
        number = splices.number(one.flow)
        assert number is not None
        assert splices.flow(number) == one.flow
    assert splices.number(splice(5).flow) is None
    splices.remove([batch[1].flow], 0)
    assert set(splices) == {*batch} - {batch[1]}


def test_where_there_is_no_room_nothing_is_changed() -> None:
    splices, memory = make(5, buckets=1)
    splices.install([splice(port) for port in range(1, 5)], 0)
    before = bytes(memory.slots), bytes(memory.records)
    with pytest.raises(TableFull, match="the index of splices has no room"):
        splices.install([splice(5)], 0)
    assert (bytes(memory.slots), bytes(memory.records), len(splices)) == (*before, 4)
    splices.update([splice(1, delta=9)], 0)
    assert len(splices) == 4


def test_entries_are_moved_to_make_room() -> None:
    """In buckets that are nearly full, some of what has come before has to change its bucket."""
    splices, memory = make(64, buckets=16)
    installed = []
    for port in range(1, 65):
        try:
            splices.install([splice(port)], 0)
        except TableFull:
            continue
        installed.append(splice(port))
        assert set(splices) == set(installed)
        assert all(splices.number(one.flow) is not None for one in installed)
    assert memory.entries() == 2 * len(installed)
    assert len(installed) >= 60
    splices.remove([one.flow for one in installed], 0)
    assert (len(splices), memory.entries()) == (0, 0)


def test_a_move_is_made_before_its_place_is_taken() -> None:
    hashing = TupleHash(ANY, 4)
    totals = [*islice(_with_buckets(hashing, 0, 2), BUCKET), next(_with_buckets(hashing, 0, 1))]
    memory = memoryview(bytearray(4 * BUCKET * 4))
    index = Index(memory, hashing)
    for number, total in enumerate(totals[:-1]):
        index.slots[number] = index.survey(total)[0] | number
    for position in range(BUCKET, 2 * BUCKET):
        index.slots[position] = FULL
    plan = Plan(index)
    position = plan.make_room(totals[-1], lambda slot: totals[-1] if slot == FULL else totals[slot & 0xFF])
    plan.carry_out([position], [index.survey(totals[-1])[0] | BUCKET])
    for number, total in enumerate(totals):
        assert [slot & 0xFF for _, slot in index.entries(total) if slot != FULL].count(number) == 1
    assert sum(map(bool, index.slots.tolist())) == 2 * BUCKET + 1


def test_an_index_of_its_usual_size_hardly_ever_moves_anything() -> None:
    """Two choices among buckets of 8 that are filled to a half: nearly all of them have room at once."""
    generator = random.Random(1)
    buckets, load = 4096, 4096 * BUCKET // 2
    hashing = TupleHash([generator.getrandbits(64) for _ in range(SECRETS)], buckets)
    index = Index(memoryview(bytearray(4 * BUCKET * buckets)), hashing)
    for number in range(load):
        client = Endpoint(generator.randbytes(4), generator.getrandbits(16))
        begins, position, _ = index.survey(hashing.of(client, Endpoint(bytes(4), 80)))
        assert position >= 0
        index.slots[position] = begins | number


addresses = st.sampled_from((4, 16)).flatmap(lambda length: st.binary(min_size=length, max_size=length))
endpoints = st.builds(Endpoint, addresses, st.integers(0, 65535))


@given(endpoints, endpoints)
def test_the_hash_is_what_it_says(source: Endpoint, destination: Endpoint) -> None:
    words = [int.from_bytes(key, "big") for key in _words(layout.tuple4((source, destination)))]
    rows = ANY[: SECRETS // 2], ANY[SECRETS // 2 :]
    sums = [(sum(map(int.__mul__, words, row)) + row[-1]) % MODULUS >> 32 for row in rows]
    place = TupleHash(ANY, 1000).place(TupleHash(ANY, 1000).of(source, destination))
    assert place == (sums[0], sums[0] * 1000 >> 32, sums[1] * 1000 >> 32)


def _words(key: bytes) -> list[bytes]:
    return [key[at : at + 4] for at in range(0, len(key), 4)]


def _with_buckets(hashing: TupleHash, first: int, second: int) -> Iterator[int]:
    """Sums of tuples that have these two buckets."""
    for port in range(65536):
        total = hashing.of(Endpoint(bytes(4), port), Endpoint(bytes(4), 80))
        if hashing.place(total)[1:] == (first, second):
            yield total
