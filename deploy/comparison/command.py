"""`l7lb bench`: L7LB beside direct routing and other balancers, in one laboratory."""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deploy.comparison import document, files, report
from deploy.comparison.circumstances import circumstances
from deploy.comparison.contenders import contenders
from deploy.comparison.loads import Load, loads
from deploy.comparison.results import LoadResults, Results
from deploy.comparison.rounds import measure
from deploy.laboratory import Laboratory
from deploy.laboratory.command import carry_out
from deploy.laboratory.namespace import LaboratoryError

_COMMAND = "l7lb bench"
_OK, _FAILED, _USAGE = 0, 1, 2
_ROUNDS, _SECONDS = 5, 4
_QUICK_ROUNDS, _QUICK_SECONDS = 1, 1
_PROGRAMS = ("wrk", "ab", "nginx", "clang")
_FILES = 16_384
"""Descriptors that a process may need: the idle connections, some of which have one to the server as well."""
_PORTS = "net.ipv4.ip_local_port_range=1024 65535"
"""As many as there are, so that one comes round late."""
_SMALL = 100
"""Bytes of the small response."""


class UsageError(Exception):
    """The comparison was asked for in a wrong way; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Request:
    """The parameters of one run."""

    loads: tuple[Load, ...]
    rounds: int
    seconds: int
    output: Path
    quick: bool
    order: dict[str, int]
    """Of all loads, by name."""

    @classmethod
    def checked(cls, output: Path, *, quick: bool, rounds: int | None, seconds: int | None, only: str | None) -> Self:
        """From the command line's values; None is the default. Raises UsageError."""
        rounds = rounds if rounds is not None else _QUICK_ROUNDS if quick else _ROUNDS
        seconds = seconds if seconds is not None else _QUICK_SECONDS if quick else _SECONDS
        if rounds < 1 or seconds < 1:
            raise UsageError("--rounds and --seconds are 1 or more")
        known = {load.name: load for load in loads(seconds, quick=quick)}
        wanted = list(known) if only is None else [name.strip() for name in only.split(",")]
        for name in wanted:
            if name not in known:
                raise UsageError(f"there is no load {name}: --only takes some of {','.join(known)}")
        order = {name: place for place, name in enumerate(known)}
        return cls(tuple(known[name] for name in known if name in wanted), rounds, seconds, output, quick, order)

    def prepare(self) -> None:
        """Make sure that the run can start and its results be written; raises LaboratoryError if they cannot."""
        if importlib.util.find_spec("matplotlib") is None:
            raise LaboratoryError("the plots need matplotlib: pip install 'l7lb[experiment]'")
        if os.geteuid() != 0:
            raise LaboratoryError("a laboratory makes network namespaces: run it as root")
        if missing := [program for program in _PROGRAMS if shutil.which(program) is None]:
            raise LaboratoryError(f"not on PATH: {', '.join(missing)}; deploy/debian/packages-test.txt has all")
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < _FILES:
            raise LaboratoryError(f"a process may open {most} files, and {_FILES} are needed: ulimit -Hn")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LaboratoryError(f"cannot write results to {self.output}: {error.strerror}") from None


def main(
    output: Path,
    *,
    quick: bool = False,
    rounds: int | None = None,
    seconds: int | None = None,
    only: str | None = None,
) -> int:
    """Run the comparison; returns the exit status: 1 if something did not work, 2 for wrong usage.

    How the figures are does not matter to it: it is a report and no test.
    """
    try:
        request = Request.checked(output, quick=quick, rounds=rounds, seconds=seconds, only=only)
    except UsageError as error:
        print(f"{_COMMAND}: {error}", file=sys.stderr)  # noqa: T201
        return _USAGE
    return carry_out(_COMMAND, partial(_run, request))


def _run(request: Request) -> int:
    request.prepare()
    # Only now is it known that there is what it takes to plot.
    from deploy.comparison import plot  # noqa: PLC0415

    files.merged(request.output, [], request.order)
    measured = _measure(request)
    results = files.merged(request.output, measured, request.order)
    console = Console()
    report.show(console, results)
    writers: dict[str, files.Writer] = {f"{files.NAME}.md": partial(document.write, results)}
    for name in plot.drawable(results):
        for suffix in ("png", "svg"):
            writers[f"{files.NAME}-{name}.{suffix}"] = partial(plot.draw, results, name)
    written = files.write(request.output, results, writers)
    console.print("\n".join(map(str, written)), highlight=False, soft_wrap=True)
    return _FAILED if report.problems(measured) else _OK


def _measure(request: Request) -> Results:
    made_with = circumstances(request.rounds, request.seconds)
    everyone = contenders(quick=request.quick)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    measured: list[LoadResults] = []
    with (
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        Laboratory(servers=1) as laboratory,
    ):
        laboratory.serve("100B", os.urandom(_SMALL))
        laboratory.client.sysctl(_PORTS)
        task = progress.add_task("starting", total=len(request.loads))
        for load in request.loads:
            announce = partial(_announce, progress, task)
            measured.append(measure(load, laboratory, everyone, request.rounds, made_with, announce))
            # What is measured is kept, should the rest be interrupted.
            files.write(request.output, files.merged(request.output, measured, request.order), {})
            progress.advance(task)
    return measured


def _announce(progress: Progress, task: TaskID, text: str) -> None:
    progress.update(task, description=text)
