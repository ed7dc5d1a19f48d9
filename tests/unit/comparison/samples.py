"""Results to read from: three rounds of three contenders."""

from __future__ import annotations

from deploy.comparison import metric
from deploy.comparison.results import LoadResults, Sample

THROUGHPUTS = {
    "direct": (1000.0, 500.0, 800.0),
    "l7lb connection": (990.0, 480.0, 800.0),
    "haproxy": (200.0, 90.0, 100.0),
}


def bulk(problems: tuple[str, ...] = ()) -> LoadResults:
    """Throughput by round as above, and half a CPU second for each GB."""
    samples = [
        sample
        for number in (1, 2, 3)
        for name, values in THROUGHPUTS.items()
        for sample in (
            Sample(name, number, metric.THROUGHPUT, values[number - 1]),
            Sample(name, number, metric.CPU_PER_GB, 0.5),
        )
    ]
    return LoadResults("bulk", "Bulk", {"machine": "a small one"}, samples, list(problems))
