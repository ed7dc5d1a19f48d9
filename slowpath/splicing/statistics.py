"""What the splicing engine counts; plain numbers that the metrics exporter reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

CONNECT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
INSTALL_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5)


class Histogram:
    """Counts of observed seconds by upper bound; the last bucket has none."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float, count: int = 1) -> None:
        """Count `count` observations of `seconds` each."""
        self.buckets[bisect_left(self.bounds, seconds)] += count
        self.total += seconds * count


@dataclass(slots=True)
class Statistics:
    """Counters since the start, keyed by the label values of the metric that shows them."""

    connections: Counter[str] = field(default_factory=Counter)
    """Connections whose first data arrived, by listener."""
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Request heads that were routed, by (listener, pool)."""
    responses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """The slow path's own answers, by (listener, status code)."""
    connect_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failed connects, by (pool, reason): refused, timeout, options, reset."""
    drops: Counter[str] = field(default_factory=Counter)
    """Packets that the slow path dropped, by reason."""
    packets_in: int = 0
    """Packets that were punted to the slow path."""
    packets_out: int = 0
    """Packets that the slow path sent or injected."""
    connect_seconds: Histogram = field(default_factory=lambda: Histogram(CONNECT_BUCKETS))
    """From the first SYN toward a server to its SYN-ACK."""
    install_seconds: Histogram = field(default_factory=lambda: Histogram(INSTALL_BUCKETS))
    """From the decision to splice to the end of the install, by splice."""
