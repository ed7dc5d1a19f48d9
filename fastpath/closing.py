"""When a splice has ended: both FINs seen, or a RST (docs/fastpath.md, Closing and On a switch)."""

from __future__ import annotations

from abc import ABC, abstractmethod
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
class Watch(ABC):
    """What a fast path remembers of a splice to report each cause of its end once."""

    _reported: Cause = field(default=Cause.NONE, init=False)

    def observe(self, direction: Direction, arrived: Packet, left: Packet) -> Cause:
        """Note a packet that was sent on, as it arrived and as it left; returns the causes it is the first to give."""
        causes = Cause.NONE
        if self._both_ended(direction, arrived, left):
            causes |= Cause.FINS
        if left.flags & tcp.RST:
            causes |= Cause.RESET
        new = causes & ~self._reported
        self._reported |= causes
        return new

    @abstractmethod
    def _both_ended(self, direction: Direction, arrived: Packet, left: Packet) -> bool:
        """Note the packet; returns whether neither direction has more to come."""


@dataclass(slots=True)
class Closing(Watch):
    """What a host remembers of the FINs of a splice, each in the numbering of its receiver, until both are covered."""

    _ends: list[int | None] = field(default_factory=lambda: [None, None])
    """By direction: the sequence number that acknowledges its FIN; None before one passed."""
    _acknowledged: list[bool] = field(default_factory=lambda: [False, False])

    @property
    def begun(self) -> bool:
        """Whether a FIN has passed."""
        return any(end is not None for end in self._ends)

    def _both_ended(self, direction: Direction, arrived: Packet, left: Packet) -> bool:
        other = Direction(1 - direction)
        end = self._ends[other]
        if arrived.flags & tcp.ACK and end is not None and not sequence.before(arrived.acknowledgment, end):
            self._acknowledged[other] = True
        if left.flags & tcp.FIN:
            self._ends[direction] = sequence.add(left.sequence, left.payload_length + 1)
        return all(self._acknowledged)


@dataclass(slots=True)
class SwitchClosing(Watch):
    """What a switch remembers: that a FIN of a direction has passed, whatever acknowledges it."""

    _passed: list[bool] = field(default_factory=lambda: [False, False])

    def _both_ended(self, direction: Direction, arrived: Packet, left: Packet) -> bool:
        if left.flags & tcp.FIN:
            self._passed[direction] = True
        return all(self._passed)
