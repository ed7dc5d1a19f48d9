"""Connections and requests, whether the slow path has seen them or the fast path has dealt with them by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fastpath.records import Counters
from slowpath.splicing.recurrence import Labels, ServiceAndPool
from slowpath.splicing.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts since the start."""

    connections: Mapping[str, int]
    """By listener, those whose first data has arrived."""
    requests: Mapping[ServiceAndPool, int]
    """By listener and pool, those that were routed to a pool."""
    admitted: Mapping[ServiceAndPool, int]
    """The connections among them that the fast path has opened, each with its first request."""
    followed: Mapping[ServiceAndPool, int]
    """The requests among them that went on without the slow path, but for those first ones."""


def tally(statistics: Statistics, labels: Labels, counters: Counters) -> Tally:
    """What the slow path has counted, and the fast path by label."""
    admitted, followed = dict(labels.counts(counters.admitted)), dict(labels.counts(counters.followed))
    connections, requests = Counter(statistics.connections), Counter(statistics.requests)
    for (service, _), count in admitted.items():
        connections[service] += count
    requests.update(admitted)
    requests.update(followed)
    return Tally(connections, requests, admitted, followed)
