"""`l7lb experiment fig3`: the experiment of section III of the L7LB paper, and its figure 3.

Several ab instances ask several servers for random data, once through a main namespace that only
routes and once with L7LB there, for sizes from 1 kB to 10 MB; each request has a connection of its
own. Counted are the packets in the main namespace (`circumstances.MEANING`).

The paper runs bmv2 beside that namespace, and so do the fast paths that are switches: what the
switch forwards by itself never gets there. The fast path `ebpf` works in the kernel of the
namespace, where packets of both kinds arrive at the same interfaces; there the interface between
the program and the slow path is the border, as it is the only way from one to the other.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.experiment import report
from deploy.experiment.circumstances import carrier, circumstances
from deploy.experiment.measurement import Measurement
from deploy.experiment.request import Request, UsageError
from deploy.experiment.results import Results
from deploy.experiment.scene import Scene, balanced, transparent
from deploy.experiment.size import label
from deploy.laboratory.command import carry_out
from deploy.laboratory.namespace import LaboratoryError

_COMMAND = "l7lb experiment fig3"
_FAILED, _USAGE = 1, 2


def main(fastpath: str, output: Path, *, sizes: str | None, clients: int, servers: int, requests: int | None) -> int:
    """Run the experiment; returns the exit status: 1 if it failed or the slow path is not flat, 2 for wrong usage."""
    try:
        request = Request.checked(fastpath, output, sizes=sizes, clients=clients, servers=servers, requests=requests)
    except UsageError as error:
        print(f"{_COMMAND}: {error}", file=sys.stderr)  # noqa: T201
        return _USAGE
    return carry_out(_COMMAND, partial(_run, request))


def _run(request: Request) -> int:
    request.prepare()
    # Only now is it known that there is what it takes to plot.
    from deploy.experiment import plot  # noqa: PLC0415

    console = Console()
    results = Results(_measure(request), circumstances(request))
    caption = f"{carrier(request)}; {request.clients} clients, {request.servers} servers"
    report.show(console, results, caption)
    plots = {f"fig3.{suffix}": partial(plot.draw, results, caption) for suffix in ("png", "svg")}
    try:
        written = results.write(request.output, plots)
    except OSError as error:
        raise LaboratoryError(f"cannot write results to {request.output}: {error.strerror}") from error
    console.print("\n".join(map(str, written)), highlight=False, soft_wrap=True)
    return 0 if results.flat else _FAILED


def _measure(request: Request) -> list[Measurement]:
    scenes: list[AbstractContextManager[Scene]] = [
        transparent(request.clients, request.servers),
        balanced(request.fastpath, request.clients, request.servers),
    ]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    measured = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("building a laboratory", total=len(scenes) * len(request.sizes))
        for scene in scenes:
            progress.update(task, description="building a laboratory")
            with scene as there:
                for size in request.sizes:
                    progress.update(task, description=f"{there.mode.value}, {label(size)}")
                    measured.append(there.measure(request.kind.load(size, request.clients, request.requests), size))
                    progress.advance(task)
    return measured
