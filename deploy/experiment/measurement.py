"""What one load showed: the packets of its connections in the main namespace."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from deploy.experiment.tally import Tally


class Mode(Enum):
    """What stands between clients and servers in the main namespace."""

    TRANSPARENT = "no L7LB"
    BALANCED = "with L7LB"


@dataclass(frozen=True, slots=True)
class PerConnection:
    """Packets of one connection, over all connections of a load."""

    mean: float
    median: float
    minimum: int
    maximum: int

    @classmethod
    def of(cls, counts: Collection[int]) -> PerConnection:
        """From the packets of each connection, of which there is at least one."""
        return cls(statistics.fmean(counts), statistics.median(counts), min(counts), max(counts))


@dataclass(frozen=True, slots=True)
class Measurement:
    """One load in one mode."""

    mode: Mode
    size: int
    """Bytes of each response's body."""
    connections: int
    """One for each request."""
    packets: int
    """Packets of these connections in the main namespace."""
    per_connection: PerConnection
    captured: int
    """All TCP packets captured there, those of connections without a request and of health probes included."""
    slow_path: int | None
    """The same by L7LB's own count of what its slow path received and sent; None without L7LB."""
    seconds: float

    @classmethod
    def of(cls, mode: Mode, size: int, tally: Tally, *, slow_path: int | None, seconds: float) -> Measurement:
        """From a tally in which there is at least one connection."""
        counts = tally.connections
        return cls(
            mode,
            size,
            connections=len(counts),
            packets=sum(counts),
            per_connection=PerConnection.of(counts),
            captured=tally.captured.total(),
            slow_path=slow_path,
            seconds=seconds,
        )
