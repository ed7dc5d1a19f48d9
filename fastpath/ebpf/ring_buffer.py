"""Reading a ring buffer map through the memory that it shares (Linux, Documentation/bpf/ringbuf.rst).

A page with the consumer's position, one with the producer's, and the records, which are there twice in a row so that
none is cut at the end. Positions are 64 bits in host byte order and only grow. Each record has a header of eight bytes,
whose first word is its length and two flags, and starts at a multiple of eight.
"""

from __future__ import annotations

import errno
import mmap
import threading
from collections.abc import Callable

from fastpath.ebpf.libbpf import BpfError, Map

_BUSY, _DISCARDED = 1 << 31, 1 << 30
_LENGTH = _DISCARDED - 1
_HEADER = 8


class RingBuffer:
    """The consumer of a ring buffer map; `fileno` becomes readable when there is something to consume."""

    def __init__(self, source: Map, received: Callable[[bytes], None]) -> None:
        """`received` is given each record; raises BpfError."""
        page, size = mmap.PAGESIZE, source.max_entries
        try:
            consumer = mmap.mmap(source.fd, page)
            producer = mmap.mmap(source.fd, page + 2 * size, prot=mmap.PROT_READ, offset=page)
        except OSError as error:
            raise BpfError(error.errno or errno.EINVAL, f"map the memory of ring buffer {source.name}") from error
        self._descriptor, self._received, self._mask = source.fd, received, size - 1
        self._consumed = memoryview(consumer).cast("Q")
        self._produced = memoryview(producer)[:page].cast("Q")
        self._records = memoryview(producer)[page:]
        self._headers = self._records.cast("I")
        self._position = self._consumed[0]
        self._order = threading.Lock()
        self._order.acquire()

    def fileno(self) -> int:
        """A descriptor to poll."""
        return self._descriptor

    def consume(self) -> None:
        """Hand over everything that is there."""
        while True:
            told, end = self._position, self._produced[0]
            self._fence()  # Records are read after the position that says they are there,
            position = self._read(told, end)
            if position == told:
                return
            self._fence()  # and before the producer may write over them.
            self._consumed[0] = self._position = position
            # The producer wakes nobody for what comes while it sees an older position: so look again.
            self._fence()

    def _read(self, position: int, end: int) -> int:
        """Hand over the records from `position` on, up to one that is still being written; returns where that is."""
        while position != end:
            start = position & self._mask
            header = self._headers[start // 4]
            if header & _BUSY:
                break
            length = header & _LENGTH
            if not header & _DISCARDED:
                self._received(self._records[start + _HEADER : start + _HEADER + length].tobytes())
            position += _HEADER + length + 7 & ~7
        return position

    def _fence(self) -> None:
        """Let no processor do what follows before what came before: releasing and taking a lock orders that on all."""
        self._order.release()
        self._order.acquire()

    def close(self) -> None:
        """Let the memory go; idempotent."""
        for view in (self._headers, self._records, self._produced, self._consumed):
            view.release()
