"""Latency at a fixed rate, counted from when each request was due: `open_loop.c` runs the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from deploy.comparison import metric
from deploy.comparison.contenders import Stage
from deploy.comparison.metric import Metric
from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError, sh

SOURCE = Path(__file__).with_name("open_loop.c")
_OUTPUT = re.compile(r"^requests=(\d+) unanswered=(\d+) p50=(\d+) p99=(\d+) p999=(\d+) max=(\d+) late=(\d+)$", re.M)
_GRACE = 60.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Keep-alive connections that ask at `rate` requests a second altogether."""

    name: str
    title: str
    path: str
    connections: int
    seconds: int
    rate: float = 0.0
    program: Path = Path()

    def compiled(self, laboratory: Laboratory) -> Self:
        """With the client compiled into the laboratory's directory."""
        program = laboratory.directory / "open_loop"
        sh(["clang", "-O2", "-o", str(program), str(SOURCE)])
        title = f"{self.title} ({self.rate:,.0f} requests/s)"
        return replace(self, program=program, title=title)

    def run(self, laboratory: Laboratory, stage: Stage) -> Mapping[Metric, float]:
        """Percentiles in microseconds."""
        place = [stage.address, str(stage.port), self.path]
        command = [str(self.program), *place, str(self.connections), f"{self.rate:.1f}", str(self.seconds)]
        return percentiles(laboratory.client.run(command, timeout=self.seconds + _GRACE))


def percentiles(output: str) -> dict[Metric, float]:
    """What the client printed; raises LaboratoryError if that is something else."""
    found = _OUTPUT.search(output)
    if not found:
        raise LaboratoryError(f"the open loop said:\n{output}")
    columns = {metric.P50: 3, metric.P99: 4, metric.P999: 5, metric.LATE: 7}
    return {figure: float(found[column]) for figure, column in columns.items()}
