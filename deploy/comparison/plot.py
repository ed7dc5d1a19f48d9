"""The figures: one panel for each metric, a bar for each contender, and the spread of the rounds as a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.comparison import metric
from deploy.comparison.contenders import CONNECTION, DIRECT, REQUEST
from deploy.comparison.metric import Metric
from deploy.comparison.results import LoadResults, Results

_RESOLUTION = 150
"""Dots per inch of the PNG."""
_DIRECT, _OURS, _OTHERS = "#999999", "#0072B2", "#D55E00"
"""Of Okabe and Ito, which differ for every kind of sight."""
_OUR_NAMES = (CONNECTION, REQUEST)


@dataclass(frozen=True, slots=True)
class _Drawing:
    title: str
    panels: tuple[tuple[str, Metric], ...]
    """Load and metric."""
    logarithmic: bool = False


DRAWINGS = {
    "speed": _Drawing(
        "How much, more is better",
        (
            ("bulk", metric.THROUGHPUT),
            ("keep-alive-32", metric.REQUESTS),
            ("keep-alive-512", metric.REQUESTS),
            ("keep-alive-distinct", metric.REQUESTS),
            ("connections", metric.CONNECTIONS),
            ("connections-distinct", metric.CONNECTIONS),
        ),
    ),
    "latency": _Drawing(
        "How late at half of the direct rate, less is better",
        (("latency", metric.P50), ("latency", metric.P99), ("latency", metric.P999)),
        logarithmic=True,
    ),
    "cost": _Drawing(
        "What it costs the machine, less is better",
        (
            ("bulk", metric.CPU_PER_GB),
            ("keep-alive-32", metric.CPU_PER_REQUESTS),
            ("connections", metric.CPU_PER_CONNECTIONS),
            ("idle", metric.PROCESS_MEMORY),
        ),
    ),
}
"""By the end of the file's name."""


def drawable(results: Results) -> list[str]:
    """Those of `DRAWINGS` that have something to show."""
    return [name for name, drawing in DRAWINGS.items() if _panels(results, drawing)]


def draw(results: Results, name: str, path: Path) -> None:
    """Write one of `DRAWINGS` to `path`, as its suffix (.png or .svg) says."""
    drawing = DRAWINGS[name]
    panels = _panels(results, drawing)
    # Text in the SVG stays text, and the same results make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "l7lb", "font.size": 9}):
        rows = (len(panels) + 1) // 2
        figure = Figure(figsize=(9.0, 0.6 + 2.4 * rows), layout="constrained")
        figure.suptitle(drawing.title)
        for place, (load, shown) in enumerate(panels, 1):
            _panel(figure.add_subplot(rows, 2, place), load, shown, logarithmic=drawing.logarithmic)
        figure.supxlabel("Bars are medians, lines go from the least round to the most.", fontsize=7.5, color="#555555")
        figure.savefig(path, dpi=_RESOLUTION, metadata={"Date": None} if path.suffix == ".svg" else {})


def _panels(results: Results, drawing: _Drawing) -> Sequence[tuple[LoadResults, Metric]]:
    by_name = {load.name: load for load in results}
    return [
        (by_name[load], shown) for load, shown in drawing.panels if load in by_name and shown in by_name[load].metrics
    ]


def _panel(axes: Axes, load: LoadResults, shown: Metric, *, logarithmic: bool) -> None:
    spreads = [(name, spread) for name in load.contenders if (spread := load.spread(shown, name))]
    names = [name for name, _ in spreads]
    medians = [spread.median for _, spread in spreads]
    axes.barh(names, medians, color=[_colour(name) for name in names])
    for place, (_, spread) in enumerate(spreads):
        axes.plot([spread.least, spread.most], [place, place], color="black", linewidth=1)
        axes.annotate(
            f" {shown.format(spread.median)}",
            (spread.most, place),
            va="center",
            fontsize=7.5,
        )
    axes.set_title(f"{load.name}: {shown.title}", fontsize=9)
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x", color="#DDDDDD")
    axes.set_axisbelow(True)
    if logarithmic:
        axes.set_xscale("log")
    axes.margins(x=0.4 if logarithmic else 0.25)


def _colour(contender: str) -> str:
    if contender == DIRECT:
        return _DIRECT
    return _OURS if contender.startswith(_OUR_NAMES) else _OTHERS
