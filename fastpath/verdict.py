"""What a fast path decides about one frame (docs/fastpath.md)."""

from __future__ import annotations

from dataclasses import dataclass

from fastpath.records import Drop, Reason


@dataclass(frozen=True, slots=True)
class Passed:
    """Left, untouched, to the kernel on a host; punted on a switch."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Discarded and counted."""

    reason: Drop


@dataclass(frozen=True, slots=True)
class Punted:
    """Handed to the slow path; `frame` is the Ethernet frame with the CPU header in it (`fastpath.frame`)."""

    reason: Reason
    frame: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """Sent out of `port`; `frame` is the whole Ethernet frame."""

    port: int
    frame: bytes


Verdict = Passed | Dropped | Punted | Sent
