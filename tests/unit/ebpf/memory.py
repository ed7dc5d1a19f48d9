"""Splices in memory that no program looks into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastpath.ebpf import layout
from fastpath.ebpf.hashing import SECRETS, TupleHash
from fastpath.ebpf.index import BUCKET
from fastpath.ebpf.paths import Paths
from fastpath.ebpf.sizes import Sizes
from fastpath.ebpf.splices import Splices
from fastpath.records import Direction, Flow, Splice
from slowpath.wire.endpoint import Endpoint

VIP = Endpoint.parse("10.1.0.100:80")
SERVER = Endpoint.parse("10.2.0.2:8080")
SECOND = 1_000_000_000
ANY = tuple(0x9E37_79B9_7F4A_7C15 * (2 * number + 1) & 0xFFFF_FFFF_FFFF_FFFF for number in range(SECRETS))
"""Secrets of the hash."""


def splice(port: int, **changes: object) -> Splice:
    """One from a port of the same client to the same server."""
    client = Endpoint(bytes((10, 1, 0, 2)), port)
    return replace(Splice(Flow(client, VIP), SERVER, 7, client, delta=5), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the program would see."""

    records: memoryview[int]
    slots: memoryview[int]
    written: dict[int, bytes]
    """By number, the paths."""

    def note(self, number: int, word: int, value: int) -> None:
        """Write a word of a record as the program does."""
        at = number * layout.RECORD_BYTES + 4 * word
        self.records[at : at + 4] = layout.number(value)

    def word(self, number: int, word: int) -> int:
        """Read one."""
        at = number * layout.RECORD_BYTES + 4 * word
        return int.from_bytes(self.records[at : at + 4], "little")

    def entries(self) -> int:
        """How many slots are taken."""
        return sum(map(bool, self.slots.cast("I").tolist()))


def make(capacity: int, secrets: Sequence[int] = ANY, buckets: int | None = None) -> tuple[Splices, Memory]:
    """Room for so many splices, with an index of `buckets` if not of as many as there ought to be."""
    sizes = Sizes(capacity)
    buckets = buckets or sizes.buckets
    hashing = TupleHash(secrets, buckets)
    memory = Memory(
        memoryview(bytearray(sizes.records * layout.RECORD_BYTES)), memoryview(bytearray(buckets * BUCKET * 4)), {}
    )
    paths = Paths(hashing, memory.written.__setitem__, lambda number: None)
    return Splices(sizes, memory.records, memory.slots, hashing, paths), memory


def last_seen_word(direction: Direction) -> int:
    """Where a record has it."""
    return layout.LAST_SEEN + direction
