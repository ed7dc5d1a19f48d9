"""The metrics of design section 9 as Prometheus families; docs/metrics.md explains each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from fastpath.pipeline.statistics import Statistics as SwitchStatistics
from fastpath.records import Counters, Direction, Drop, Reason, Traffic
from slowpath.health.exchange import REASONS as PROBE_REASONS
from slowpath.health.outliers import REASONS as OUTLIER_REASONS
from slowpath.http.answers import STATUSES
from slowpath.splicing.queueing import FAILURES as QUEUE_FAILURES
from slowpath.splicing.statistics import ICMP_ERRORS, LIMITS, Histogram, Statistics
from slowpath.splicing.tally import Tally

CONNECT_FAILURES = ("refused", "timeout", "options", "reset", "busy")
SLOW_PATH_DROPS = (
    "defect",
    "denied",
    "icmp",
    "limited",
    "malformed",
    "no_connection",
    "out_of_order",
    "reset",
    "session_limit",
)
RELOAD_RESULTS = ("success", "failure")
LOG_RESULTS = ("written", "lost")

_Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerSample:
    """A server of a pool; `id` is its `fastpath.records.Server.id`."""

    pool: str
    address: str
    id: int
    up: bool
    connections: int
    ejected: bool = False
    ejections: Mapping[str, int] = field(default_factory=dict)
    """By reason, since the server was added."""
    probe_failures: Mapping[str, int] = field(default_factory=dict)
    """By reason, likewise."""
    panic: bool = False
    """Whether the server's pool uses all of its servers."""
    weight: int = 1
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that one scrape shows."""

    statistics: Statistics
    tally: Tally
    counters: Counters
    switch: SwitchStatistics
    """All 0 where there is no switch."""
    pools: Mapping[str, Sequence[str]]
    """The pools that a listener's requests can go to, by listener."""
    servers: Sequence[ServerSample]
    splices: int
    capacity: int
    kind: str
    """Of the fast path, as in the configuration."""
    reloads: Mapping[str, int]
    """Reloads of the configuration since the start, by result."""
    queued: Mapping[str, int] = field(default_factory=dict)
    """Connections that wait for a server with room, by pool."""
    resolutions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Look-ups of servers' names, by pool and result."""
    file_reads: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Files of servers that were read because they had changed, by pool and result."""
    log_lines: Mapping[str, int] = field(default_factory=dict)
    """Lines of the access log, by what became of them."""


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Every metric, with a series for each configured label value, whether it has counted anything or not."""
    yield InfoMetricFamily("l7lb_build", "The release that is running.", {"version": version("l7lb")})
    yield InfoMetricFamily("l7lb_fastpath", "The fast path that is in use.", {"kind": snapshot.kind})
    yield _gauge("fastpath_up", "Whether the fast path takes new connections.", float(snapshot.counters.reachable))
    yield from _connections(snapshot)
    yield from _switch(snapshot)
    yield from _servers(snapshot)
    yield from _queues(snapshot)
    yield from _health(snapshot)
    yield from _discovery(snapshot)
    yield from _packets(snapshot)
    yield _counter(
        "access_log_lines", "Lines of the access log.", ["result"], _zeros(LOG_RESULTS, snapshot.log_lines).items()
    )
    yield _counter(
        "config_reloads", "Reloads of the configuration.", ["result"], _zeros(RELOAD_RESULTS, snapshot.reloads).items()
    )


def _connections(snapshot: Snapshot) -> Iterator[Metric]:
    counted, tally, listeners = snapshot.statistics, snapshot.tally, snapshot.pools
    pools = dict.fromkeys(server.pool for server in snapshot.servers)
    yield _counter(
        "listener_connections",
        "Connections whose first data arrived.",
        ["listener"],
        _zeros(listeners, tally.connections).items(),
    )
    routed = {(listener, pool): 0 for listener, choices in listeners.items() for pool in choices}
    yield _counter(
        "requests",
        "Request heads that were routed to a pool.",
        ["listener", "pool"],
        {**routed, **tally.requests}.items(),
    )
    yield _counter(
        "fastpath_connections",
        "Connections that the fast path opened by itself, each with its first request.",
        ["listener", "pool"],
        {**routed, **tally.admitted}.items(),
    )
    yield _counter(
        "fastpath_requests",
        "Later requests that the fast path sent on by itself.",
        ["listener", "pool"],
        {**routed, **tally.followed}.items(),
    )
    answers = {(listener, code): 0 for listener in listeners for code in sorted(STATUSES)} | counted.responses
    yield _counter(
        "responses",
        "Responses of the balancer's own.",
        ["listener", "code"],
        (((listener, str(code)), count) for (listener, code), count in answers.items()),
    )
    limited = {(listener, kind): 0 for listener in listeners for kind in LIMITS}
    yield _counter(
        "limited",
        "Connections and requests that were over a limit.",
        ["listener", "kind"],
        (limited | counted.limited).items(),
    )
    failures = {(pool, reason): 0 for pool in pools for reason in CONNECT_FAILURES}
    yield _counter(
        "connect_failures",
        "Connects to a server that failed.",
        ["pool", "reason"],
        (failures | counted.connect_failures).items(),
    )
    yield _histogram(
        "connect_duration_seconds", "Time from the first SYN to a server to its SYN-ACK.", counted.connect_seconds
    )
    yield _histogram(
        "splice_install_duration_seconds",
        "Time from the decision to splice to the splice in the fast path.",
        counted.install_seconds,
    )
    yield _gauge("splices", "Connections in the fast path.", snapshot.splices)
    yield _gauge("splice_capacity", "Connections that the fast path has room for.", snapshot.capacity)
    yield _counter(
        "splice_collisions",
        "Splices that needed an override, because a live one has the same digest.",
        [],
        [((), snapshot.counters.collisions)],
    )


def _switch(snapshot: Snapshot) -> Iterator[Metric]:
    counted = snapshot.switch
    yield _gauge("overrides", "Entries with full addresses and ports that the switch holds.", counted.overrides)
    yield _counter(
        "reconciliations",
        "Comparisons of the switch's tables with what should be in them.",
        [],
        [((), counted.reconciliations)],
    )
    yield _counter(
        "punts_withheld",
        "Packets of new connections that were dropped because the record in their way could not be moved.",
        [],
        [((), counted.punts_withheld)],
    )


def _servers(snapshot: Snapshot) -> Iterator[Metric]:
    labels = ["pool", "server"]
    up = GaugeMetricFamily("l7lb_server_up", "Whether the health checks of a server succeed.", labels=labels)
    connections = GaugeMetricFamily("l7lb_server_connections", "Open connections to a server.", labels=labels)
    weights = GaugeMetricFamily("l7lb_server_weight", "A server's weight in its pool.", labels=labels)
    draining = GaugeMetricFamily("l7lb_server_draining", "Whether a server takes no new connections.", labels=labels)
    packets: dict[_Labels, float] = {}
    octets: dict[_Labels, float] = {}
    nothing = (Traffic(), Traffic())
    for server in snapshot.servers:
        up.add_metric([server.pool, server.address], float(server.up))
        connections.add_metric([server.pool, server.address], server.connections)
        weights.add_metric([server.pool, server.address], server.weight)
        draining.add_metric([server.pool, server.address], float(server.draining))
        traffic = snapshot.counters.servers.get(server.id, nothing)
        for direction in Direction:
            key = (server.pool, server.address, direction.name.lower())
            packets[key], octets[key] = traffic[direction].packets, traffic[direction].bytes
    yield up
    yield connections
    yield weights
    yield draining
    labels = [*labels, "direction"]
    yield _counter("server_packets", "Packets that the fast path forwarded, as on the wire.", labels, packets.items())
    yield _counter("server_bytes", "Bytes that the fast path forwarded, from the IP header on.", labels, octets.items())


def _queues(snapshot: Snapshot) -> Iterator[Metric]:
    counted = snapshot.statistics
    pools = list(dict.fromkeys(server.pool for server in snapshot.servers))
    length = GaugeMetricFamily("l7lb_queue_length", "Connections that wait for a server with room.", labels=["pool"])
    for pool in pools:
        length.add_metric([pool], snapshot.queued.get(pool, 0))
    yield length
    yield _counter("queued", "Connections that had to wait.", ["pool"], _zeros(pools, counted.queued).items())
    failures = {(pool, reason): 0 for pool in pools for reason in QUEUE_FAILURES}
    yield _counter(
        "queue_failures",
        "Connections that had to wait and got no server.",
        ["pool", "reason"],
        (failures | counted.queue_failures).items(),
    )
    yield _histogram(
        "queue_duration_seconds", "Time that connections waited which got a server.", counted.queue_seconds
    )


def _health(snapshot: Snapshot) -> Iterator[Metric]:
    labels = ["pool", "server"]
    ejected = GaugeMetricFamily("l7lb_server_ejected", "Whether passive checks keep a server out.", labels=labels)
    failures: dict[_Labels, float] = {}
    ejections: dict[_Labels, float] = {}
    for server in snapshot.servers:
        key = (server.pool, server.address)
        ejected.add_metric(key, float(server.ejected))
        failures |= {(*key, reason): server.probe_failures.get(reason, 0) for reason in PROBE_REASONS}
        ejections |= {(*key, reason): server.ejections.get(reason, 0) for reason in OUTLIER_REASONS}
    yield ejected
    labels = [*labels, "reason"]
    yield _counter("server_ejections", "Ejections of a server by passive checks.", labels, ejections.items())
    yield _counter("probe_failures", "Health probes of a server that failed.", labels, failures.items())
    panic = GaugeMetricFamily("l7lb_pool_panic", "Whether a pool uses every server, well or not.", labels=["pool"])
    for pool, value in {server.pool: server.panic for server in snapshot.servers}.items():
        panic.add_metric([pool], float(value))
    yield panic


def _discovery(snapshot: Snapshot) -> Iterator[Metric]:
    labels = ["pool", "result"]
    yield _counter("name_resolutions", "Look-ups of servers' names.", labels, snapshot.resolutions.items())
    yield _counter(
        "servers_file_reads", "Files of servers that were read after a change.", labels, snapshot.file_reads.items()
    )


def _packets(snapshot: Snapshot) -> Iterator[Metric]:
    counted, counters = snapshot.statistics, snapshot.counters
    yield _counter(
        "punts",
        "Packets that the fast path handed to the slow path.",
        ["reason"],
        (((reason.name.lower(),), counters.punts.get(reason, 0)) for reason in Reason),
    )
    yield _counter(
        "slowpath_packets",
        "Packets that the slow path received, and sent or injected.",
        ["direction"],
        [(("in",), counted.packets_in), (("out",), counted.packets_out)],
    )
    drops = _zeros(SLOW_PATH_DROPS, counted.drops)
    for cause in Drop:
        label = (cause.name.lower(),)
        drops[label] = drops.get(label, 0) + counters.drops.get(cause, 0)
    yield _counter(
        "drops", "Packets that were dropped, in the fast path or in the slow path.", ["reason"], drops.items()
    )
    yield _counter(
        "icmp_errors",
        "ICMP errors about packets of live connections, by what became of them.",
        ["kind"],
        _zeros(ICMP_ERRORS, counted.icmp_errors).items(),
    )
    yield _counter(
        "resets_withheld",
        "Segments of no connection that got no RST, because there were too many.",
        [],
        [((), counted.resets_withheld)],
    )
    yield _counter("syns_answered", "SYNs that the fast path answered itself.", [], [((), counters.syns_answered)])
    yield _counter("handshakes", "Handshakes of such SYNs that the client completed.", [], [((), counters.handshakes)])
    yield _counter(
        "close_reports_lost", "Reports of closed connections that found no room.", [], [((), counters.events_lost)]
    )


def _zeros(labels: Iterable[str], counts: Mapping[str, int]) -> dict[_Labels, float]:
    """Counts by one label value, 0 for those of `labels` that have none."""
    return {(label,): counts.get(label, 0) for label in dict.fromkeys([*labels, *counts])}


def _counter(name: str, meaning: str, labels: Sequence[str], series: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = CounterMetricFamily(f"l7lb_{name}", meaning, labels=labels)
    for key, value in series:
        family.add_metric(key, value)
    return family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"l7lb_{name}", meaning, value)


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.buckets), strict=True))
    return HistogramMetricFamily(f"l7lb_{name}", meaning, buckets=buckets, sum_value=histogram.total)
