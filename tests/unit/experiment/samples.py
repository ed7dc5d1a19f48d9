"""Measurements as a run makes them."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.experiment.measurement import Measurement, Mode, PerConnection
from deploy.experiment.results import Results

TRANSPARENT = {1_000: 9.0, 100_000: 103.0, 10_000_000: 8189.0}
FLAT = {1_000: 4.0, 100_000: 4.5, 10_000_000: 5.0}
GROWING = {1_000: 4.0, 100_000: 4.5, 10_000_000: 5.01}


def measurement(mode: Mode, size: int, mean: float) -> Measurement:
    """Ten connections with `mean` packets each on the average."""
    packets = round(10 * mean)
    slow_path = packets + 2 if mode is Mode.BALANCED else None
    counts = PerConnection(mean, mean, int(mean) - 1, int(mean) + 1)
    return Measurement(mode, size, 10, packets, counts, packets + 2, slow_path, 0.25)


def results(balanced: Mapping[int, float]) -> Results:
    """A run whose slow path had these means by size."""
    rows = [measurement(Mode.BALANCED, size, mean) for size, mean in balanced.items()]
    rows += [measurement(Mode.TRANSPARENT, size, mean) for size, mean in TRANSPARENT.items()]
    return Results(rows, {"parameters": {"fastpath": "ebpf", "sizes_bytes": (1_000, 100_000, 10_000_000)}})
