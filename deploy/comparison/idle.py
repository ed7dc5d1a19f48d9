"""What idle connections cost: memory before and while they are there."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from deploy.comparison import memory, metric
from deploy.comparison.contenders import Stage
from deploy.comparison.metric import Metric
from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError, end

_SETTLED = 3.0
"""Seconds for which connections have had nothing to do when they count as idle."""
_WARM = 64
"""Connections before the first look, so that what is made once is there."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Keep-alive connections that have made one request."""

    name: str
    title: str
    path: str
    connections: int

    def prepared(self, laboratory: Laboratory) -> Self:
        """Nothing to find out."""
        return self

    def run(self, laboratory: Laboratory, stage: Stage) -> Mapping[Metric, float]:
        """Bytes per connection of the contender's processes, of its eBPF maps, and of the kernel; MB without them."""
        with self._held(laboratory, stage, _WARM):
            pass
        before = _usage(stage)
        with self._held(laboratory, stage, self.connections):
            time.sleep(_SETTLED)
            after = _usage(stage)
        grown = {name: (after[name] - before[name]) / self.connections for name in after}
        at_rest = {metric.PROCESS_AT_REST: metric.PROCESS_MEMORY, metric.MAP_AT_REST: metric.MAP_MEMORY}
        return grown | {name: before[counted] / 1e6 for name, counted in at_rest.items()}

    @contextmanager
    def _held(self, laboratory: Laboratory, stage: Stage, count: int) -> Iterator[None]:
        log = laboratory.directory / "hold.log"
        log.unlink(missing_ok=True)
        place = [stage.address, str(stage.port), str(count), self.path]
        process = laboratory.client.popen([sys.executable, "-m", "deploy.comparison.hold", *place], log=log, pipe=True)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise LaboratoryError(f"{count} idle connections could not be held:\n{log.read_text()}")
            yield
            process.stdin.close()
            process.wait()
        finally:
            end(process)
            process.stdout.close()


def _usage(stage: Stage) -> dict[Metric, int]:
    pids = stage.processes
    return {
        metric.PROCESS_MEMORY: memory.process_memory(pids),
        metric.MAP_MEMORY: memory.map_memory(pids),
        metric.KERNEL_MEMORY: memory.kernel_memory(),
    }
