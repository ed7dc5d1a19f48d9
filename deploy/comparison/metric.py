"""What is measured: names, units, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a load; `name` is unique among all loads' and has the unit in it."""

    name: str
    title: str
    higher_is_better: bool
    digits: int
    """Behind the point, in tables."""

    def format(self, value: float) -> str:
        """As tables have it."""
        return f"{value:,.{self.digits}f}"


def _higher(name: str, title: str, digits: int = 0) -> Metric:
    return Metric(name, title, True, digits)


def _lower(name: str, title: str, digits: int) -> Metric:
    return Metric(name, title, False, digits)


THROUGHPUT = _higher("throughput_mb_per_s", "MB/s")
CPU_PER_GB = _lower("cpu_s_per_gb", "CPU s per GB", 3)
REQUESTS = _higher("requests_per_s", "requests/s")
CPU_PER_REQUESTS = _lower("cpu_s_per_1000_requests", "CPU s per 1,000 requests", 3)
CONNECTIONS = _higher("connections_per_s", "connections/s")
CPU_PER_CONNECTIONS = _lower("cpu_s_per_1000_connections", "CPU s per 1,000 connections", 3)
P50 = _lower("p50_us", "p50 µs", 0)
P99 = _lower("p99_us", "p99 µs", 0)
P999 = _lower("p999_us", "p99.9 µs", 0)
LATE = _lower("client_late_us", "client late by µs (p99)", 0)
PROCESS_MEMORY = _lower("process_bytes_per_connection", "process bytes", 0)
MAP_MEMORY = _lower("map_bytes_per_connection", "eBPF map bytes", 0)
KERNEL_MEMORY = _lower("kernel_bytes_per_connection", "kernel bytes, both ends", 0)
PROCESS_AT_REST = _lower("process_mb_at_rest", "process MB without them", 1)
MAP_AT_REST = _lower("map_mb_at_rest", "eBPF map MB without them", 1)

METRICS = {
    metric.name: metric
    for metric in (
        *(THROUGHPUT, CPU_PER_GB, REQUESTS, CPU_PER_REQUESTS, CONNECTIONS, CPU_PER_CONNECTIONS),
        *(P50, P99, P999, LATE),
        *(PROCESS_MEMORY, MAP_MEMORY, KERNEL_MEMORY, PROCESS_AT_REST, MAP_AT_REST),
    )
}
"""By name."""
