"""What L7LB is meant to reach, as ratios to direct routing and to HAProxy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.comparison import metric
from deploy.comparison.contenders import CONNECTION, DIRECT, REQUEST
from deploy.comparison.metric import Metric
from deploy.comparison.proxies import HAPROXY, HAPROXY_AUTO
from deploy.comparison.results import Results


@dataclass(frozen=True, slots=True)
class Target:
    """Bounds of the median ratios; at least where more is better, at most where less is."""

    load: str
    metric: Metric
    contender: str
    bounds: dict[str, float]
    """By whom the ratio is to."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One ratio of a target: the bound, and what was measured (None if it was not)."""

    target: Target
    base: str
    bound: float
    ratio: float | None

    @property
    def reached(self) -> bool | None:
        """None without a measurement."""
        if self.ratio is None:
            return None
        return self.ratio >= self.bound if self.target.metric.higher_is_better else self.ratio <= self.bound

    @property
    def relation(self) -> str:
        """How the ratio has to be to the bound."""
        return "≥" if self.target.metric.higher_is_better else "≤"


TARGETS = (
    Target("bulk", metric.THROUGHPUT, CONNECTION, {DIRECT: 0.95, HAPROXY: 5.0, HAPROXY_AUTO: 5.0}),
    Target("keep-alive-32", metric.REQUESTS, CONNECTION, {DIRECT: 0.95, HAPROXY: 1.5}),
    Target("keep-alive-512", metric.REQUESTS, CONNECTION, {DIRECT: 0.95, HAPROXY: 1.5}),
    Target("keep-alive-32", metric.REQUESTS, REQUEST, {DIRECT: 0.6, HAPROXY: 1.0}),
    Target("keep-alive-512", metric.REQUESTS, REQUEST, {DIRECT: 0.6, HAPROXY: 1.0}),
    Target("connections", metric.CONNECTIONS, CONNECTION, {DIRECT: 0.8, HAPROXY: 1.0}),
    Target("latency", metric.P99, CONNECTION, {DIRECT: 1.1, HAPROXY: 0.8}),
    Target("bulk", metric.CPU_PER_GB, CONNECTION, {DIRECT: 1.1, HAPROXY: 0.25, HAPROXY_AUTO: 0.25}),
)


def verdicts(results: Results) -> Sequence[Verdict]:
    """Of all targets, measured or not."""
    by_name = {load.name: load for load in results}
    found = []
    for target in TARGETS:
        load = by_name.get(target.load)
        for base, bound in target.bounds.items():
            spread = load.ratios(target.metric, target.contender, base) if load else None
            found.append(Verdict(target, base, bound, spread.median if spread else None))
    return found
