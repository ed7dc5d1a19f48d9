"""What a run shows: the same rows for the terminal and for the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from deploy.comparison.contenders import DIRECT
from deploy.comparison.metric import Metric
from deploy.comparison.proxies import HAPROXY
from deploy.comparison.results import LoadResults, Results, Spread
from deploy.comparison.targets import Verdict, verdicts

_NOTHING = "–"
_WORDS = {True: "reached", False: "not reached", None: "not measured"}
_STYLES = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text; the first column is of names, the others are of numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grids(load: LoadResults) -> Iterator[Grid]:
    """One for each metric of a load, the first with its title: median, spread, and the median ratios within rounds."""
    for place, metric in enumerate(load.metrics):
        rows = tuple(_row(load, metric, contender) for contender in load.contenders)
        yield Grid(
            "" if place else load.title, (metric.title, "median", "least", "most", f"÷ {DIRECT}", f"÷ {HAPROXY}"), rows
        )


def requirements(results: Results) -> Grid:
    """The targets, and what became of them."""
    headings = ("load", "figure", "ratio to", "wanted", "measured", "")
    return Grid("What L7LB is meant to reach", headings, tuple(_judged(one) for one in verdicts(results)))


def show(console: Console, results: Results) -> None:
    """Print all tables, the problems last."""
    for load in results:
        for grid in grids(load):
            console.print(_table(grid))
    table = _table(requirements(results))
    for row, verdict in zip(table.rows, verdicts(results), strict=True):
        row.style = _STYLES[verdict.reached]
    console.print(table)
    for problem in problems(results):
        console.print(f"FAILED: {problem}", style="bold red", markup=False)


def problems(results: Results) -> list[str]:
    """What went wrong, of all loads."""
    return [problem for load in results for problem in load.problems]


def _row(load: LoadResults, metric: Metric, contender: str) -> tuple[str, ...]:
    spread = load.spread(metric, contender)
    if spread is None:
        return (contender, *[_NOTHING] * 5)
    figures = (metric.format(value) for value in (spread.median, spread.least, spread.most))
    return (contender, *figures, *(_ratio(load.ratios(metric, contender, base)) for base in (DIRECT, HAPROXY)))


def _ratio(spread: Spread | None) -> str:
    return _number(spread.median) if spread else _NOTHING


def _number(ratio: float) -> str:
    return f"{ratio:.2f}" if abs(ratio) >= 0.1 else f"{ratio:.3f}"


def _judged(verdict: Verdict) -> tuple[str, ...]:
    target = verdict.target
    return (
        target.load,
        f"{target.contender}, {target.metric.title}",
        verdict.base,
        f"{verdict.relation} {verdict.bound:.2f}",
        _NOTHING if verdict.ratio is None else _number(verdict.ratio),
        _WORDS[verdict.reached],
    )


def _table(grid: Grid) -> Table:
    table = Table(title=grid.title or None, title_justify="left")
    for heading in grid.headings:
        table.add_column(heading, justify="right")
    table.columns[0].justify = "left"
    for row in grid.rows:
        table.add_row(*row)
    return table
