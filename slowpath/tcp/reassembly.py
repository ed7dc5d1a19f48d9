"""The receive side of a connection: bytes in order, whatever order they arrive in (RFC 9293 section 3.10.7.4)."""

from __future__ import annotations

from slowpath.wire.sequence import MASK, difference


class Reassembly:
    """Puts payloads in order from `start` on and keeps at most `limit` bytes ahead of what was read.

    `next` is RCV.NXT. A FIN counts one sequence number once everything before it has arrived.
    """

    __slots__ = ("_ahead", "_fin", "data", "finished", "limit", "next")

    def __init__(self, start: int, limit: int) -> None:
        self.next = start
        self.limit = limit
        self.data = bytearray()
        """What arrived in order and was not taken yet."""
        self.finished = False
        """Whether the FIN arrived in order."""
        self._ahead: dict[int, bytes] = {}
        self._fin: int | None = None

    def add(self, sequence: int, payload: bytes, *, fin: bool = False) -> bool:
        """Take a segment; True when RCV.NXT moved. What does not fit the window is left for its retransmission."""
        if self.finished:
            return False
        before = self.next
        offset = difference(sequence, self.next)
        room = self.limit - len(self.data)
        if offset == 0 and not fin and not self._ahead and len(payload) <= room and self._fin is None:
            self.data += payload
            self.next = (before + len(payload)) & MASK
            return self.next != before
        if fin and offset + len(payload) <= room:
            self._fin = (sequence + len(payload)) & MASK
        if payload and -len(payload) < offset < room and (offset <= 0 or self._may_hold(payload)):
            self._ahead[sequence] = max(self._ahead.get(sequence, b""), payload[: room - offset], key=len)
        self._advance()
        return self.next != before

    def take(self) -> bytes:
        """All bytes in order so far; frees their window."""
        data = bytes(self.data)
        self.data.clear()
        return data

    @property
    def window(self) -> int:
        """Bytes that may still arrive: RCV.WND."""
        return self.limit - len(self.data)

    def _may_hold(self, payload: bytes) -> bool:
        """Whether out-of-order data fits; overlapping segments must not hold more memory than the window stands for."""
        return sum(map(len, self._ahead.values())) + len(payload) <= self.limit

    def _advance(self) -> None:
        ready = True
        while ready:
            ready = False
            for sequence in list(self._ahead):
                skip = difference(self.next, sequence)
                if skip < 0:
                    continue
                payload = self._ahead.pop(sequence)[skip:]
                self.data += payload
                self.next = (self.next + len(payload)) & MASK
                ready = True
        if self._fin == self.next:
            self.next = (self.next + 1) & MASK
            self.finished = True
