"""Records of a ring buffer: in order, whole, and none before it has been written."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.ebpf.ring_buffer import RingBuffer

PAGE = SIZE = mmap.PAGESIZE
BUSY, DISCARDED = 1 << 31, 1 << 30


class Producer:
    """Stands for the kernel: the pages of a ring buffer map in a file."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, 2 * PAGE + 2 * SIZE)
        self._memory = mmap.mmap(self.fd, 2 * PAGE + 2 * SIZE)
        self.position = 0

    @property
    def consumed(self) -> int:
        position: int = struct.unpack_from("=Q", self._memory)[0]
        return position

    def begin(self, position: int) -> None:
        """Have both sides stand here."""
        self.position = position
        struct.pack_into("=Q", self._memory, 0, position)
        self._tell()

    def add(self, record: bytes, flags: int = 0) -> int:
        """Write a record, at both places where the consumer may see it; returns where it is."""
        there = self.position
        self.flag(there, len(record), flags)
        for number, byte in enumerate(record):
            self._put((there + 8 + number) % SIZE, bytes((byte,)))
        self.position += 8 + (len(record) + 7) // 8 * 8
        self._tell()
        return there

    def flag(self, position: int, length: int, flags: int) -> None:
        """Write a record's header."""
        self._put(position % SIZE, struct.pack("=I", length | flags))

    def _put(self, offset: int, data: bytes) -> None:
        for start in (2 * PAGE + offset, 2 * PAGE + SIZE + offset):
            self._memory[start : start + len(data)] = data

    def _tell(self) -> None:
        struct.pack_into("=Q", self._memory, PAGE, self.position)


@pytest.fixture
def producer() -> Iterator[Producer]:
    made = Producer()
    yield made
    os.close(made.fd)


def reader(producer: Producer, into: list[bytes]) -> RingBuffer:
    source = SimpleNamespace(fd=producer.fd, max_entries=SIZE, name="ring")
    return RingBuffer(cast(Map, source), into.append)


def test_records_come_in_order_and_once(producer: Producer) -> None:
    found: list[bytes] = []
    ring = reader(producer, found)
    ring.consume()
    assert found == []
    for record in (b"one", b"", b"three..."):
        producer.add(record)
    ring.consume()
    ring.consume()
    assert found == [b"one", b"", b"three..."]
    assert producer.consumed == producer.position
    ring.close()
    ring.close()


def test_what_is_being_written_is_waited_for_and_what_was_discarded_is_not(producer: Producer) -> None:
    found: list[bytes] = []
    ring = reader(producer, found)
    producer.add(b"gone", DISCARDED)
    there = producer.add(b"late", BUSY)
    producer.add(b"after")
    ring.consume()
    assert (found, producer.consumed) == ([], there)
    producer.flag(there, 4, 0)
    ring.consume()
    assert found == [b"late", b"after"]
    ring.close()


def test_what_comes_meanwhile_is_found(producer: Producer) -> None:
    """The producer wakes nobody for it, as it sees an older position."""
    found: list[bytes] = []

    class More(list[bytes]):
        def append(self, record: bytes) -> None:
            found.append(record)
            if len(found) < 3:
                producer.add(b"more")

    ring = reader(producer, More())
    producer.add(b"first")
    ring.consume()
    assert found == [b"first", b"more", b"more"]
    ring.close()


def test_the_end_of_the_memory_cuts_no_record(producer: Producer) -> None:
    found: list[bytes] = []
    producer.begin((1 << 40) * SIZE + SIZE - 16)
    ring = reader(producer, found)
    records = [bytes(range(start, start + 24)) for start in (0, 100, 200)]
    for record in records:
        producer.add(record)
    ring.consume()
    assert found == records
    ring.close()


def test_what_is_no_ring_buffer_is_refused() -> None:
    reading, writing = os.pipe()
    source = SimpleNamespace(fd=reading, max_entries=SIZE, name="ring")
    with pytest.raises(BpfError, match="map the memory of ring buffer ring"):
        RingBuffer(cast(Map, source), lambda record: None)
    os.close(reading)
    os.close(writing)
