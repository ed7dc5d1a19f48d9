"""When a splice has ended: both FINs acknowledged, or a RST (docs/fastpath.md, Closing)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag

from fastpath.packet import Packet
from fastpath.records import Direction
from slowpath.wire import sequence, tcp


class Cause(Flag):
    """Why a splice has ended."""

    NONE = 0
    FINS = 1
    RESET = 2


@dataclass(slots=True)
class Closing:
    """What a splice remembers of the FINs that passed, each in the numbering of its receiver."""

    _ends: list[int | None] = field(default_factory=lambda: [None, None])
    """By direction: the sequence number that acknowledges its FIN; None before one passed."""
    _acknowledged: list[bool] = field(default_factory=lambda: [False, False])
    _reported: Cause = Cause.NONE

    def observe(self, direction: Direction, arrived: Packet, left: Packet) -> Cause:
        """Note a packet that was sent on, as it arrived and as it left; returns the causes it is the first to give."""
        causes = Cause.NONE
        other = Direction(1 - direction)
        end = self._ends[other]
        if arrived.flags & tcp.ACK and end is not None and not sequence.before(arrived.acknowledgment, end):
            self._acknowledged[other] = True
        if left.flags & tcp.FIN:
            self._ends[direction] = sequence.add(left.sequence, left.payload_length + 1)
        if all(self._acknowledged):
            causes |= Cause.FINS
        if left.flags & tcp.RST:
            causes |= Cause.RESET
        new = causes & ~self._reported
        self._reported |= causes
        return new
