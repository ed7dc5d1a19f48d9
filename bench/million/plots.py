"""The plots: cost over the number of connections. What does not depend on it is a level line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.million.results import Curve

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of Okabe and Ito, which differ for every kind of sight."""
_MARKERS = "osD^"
_COLUMNS = 2
_WIDTH, _HEIGHT = 4.2, 3.2
"""Inches of one plot."""


def grouped(curves: Sequence[Curve]) -> dict[tuple[str, str], list[Curve]]:
    """The curves of each plot, by its title and its unit."""
    plots: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        plots.setdefault((curve.plot, curve.unit), []).append(curve)
    return plots


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write all plots to `path`, side by side, as its suffix (.svg or .png) says."""
    plots = grouped(curves)
    rows = -(-len(plots) // _COLUMNS)
    # Text in the SVG stays text, and the same results make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "l7lb", "font.size": 9}):
        figure = Figure(figsize=(_WIDTH * _COLUMNS, _HEIGHT * rows), layout="constrained")
        for place, ((title, unit), group) in enumerate(plots.items(), 1):
            axes = figure.add_subplot(rows, _COLUMNS, place)
            for number, curve in enumerate(group):
                axes.plot(
                    curve.connections,
                    curve.values,
                    label=curve.name,
                    markersize=4,
                    color=_COLOURS[number % len(_COLOURS)],
                    marker=_MARKERS[number % len(_MARKERS)],
                )
            axes.set_title(title)
            axes.set_xlabel("connections")
            axes.set_ylabel(unit)
            axes.set_xscale("log", base=2)
            axes.set_ylim(bottom=0, top=1.4 * max(max(curve.values) for curve in group))
            axes.grid(visible=True, color="#DDDDDD")
            axes.set_axisbelow(True)
            axes.legend(loc="upper left", fontsize=8)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
