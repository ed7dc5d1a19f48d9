"""What the splicing engine counts; plain numbers that the metrics exporter reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

CONNECT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
QUEUE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
INSTALL_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5)

LIMITS = ("connections", "connection_rate", "request_rate")
"""What a client, or all of them, may have or do so often."""

ICMP_ERRORS = ("translated", "too_long", "heeded", "withheld")
"""Passed on to the other side; made here for a packet too long for its next hop; about packets of our own; too many."""


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
    """Failed connects, by (pool, reason): refused, timeout, options, reset, and source and busy (`choosing`)."""
    queued: Counter[str] = field(default_factory=Counter)
    """Connections that had to wait for a server with room, by pool."""
    queue_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Those that waited in vain or found no place, by (pool, reason): full, timeout, left."""
    drops: Counter[str] = field(default_factory=Counter)
    """Packets that the slow path dropped, by reason."""
    limited: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Connections and requests that were over a limit, by (listener, kind): one of LIMITS."""
    icmp_errors: Counter[str] = field(default_factory=Counter)
    """ICMP errors about packets of live connections, by what became of them: one of ICMP_ERRORS."""
    resets_withheld: int = 0
    """Segments that belong nowhere and got no RST, because there were too many of them."""
    packets_in: int = 0
    """Packets that were punted to the slow path."""
    packets_out: int = 0
    """Packets that the slow path sent or injected."""
    connect_seconds: Histogram = field(default_factory=lambda: Histogram(CONNECT_BUCKETS))
    """From the first SYN toward a server to its SYN-ACK."""
    queue_seconds: Histogram = field(default_factory=lambda: Histogram(QUEUE_BUCKETS))
    """What those waited that got a server in the end."""
    install_seconds: Histogram = field(default_factory=lambda: Histogram(INSTALL_BUCKETS))
    """From the decision to splice to the end of the install, by splice."""
