"""The figure: packets in the main namespace over the transferred size, with and without L7LB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.experiment.measurement import Measurement, Mode
from deploy.experiment.results import Results
from deploy.experiment.size import label

_CAPTION = (
    "no L7LB: each packet that the namespace forwards, once; with L7LB: each that its slow path receives or sends.\n"
    "Mean of all connections; shaded from the fewest to the most."
)
_RESOLUTION = 200
"""Dots per inch of the PNG."""


@dataclass(frozen=True, slots=True)
class _Series:
    """How a mode is drawn, in colours of Okabe and Ito, which differ for every kind of sight."""

    identity: str
    colour: str
    marker: str
    dashes: str
    above: float
    """Points from a marker up to its number; below it if negative."""


_SERIES = {
    Mode.TRANSPARENT: _Series("no-l7lb", "#D55E00", "s", "--", 7),
    Mode.BALANCED: _Series("with-l7lb", "#0072B2", "o", "-", -14),
}


def draw(results: Results, caption: str, path: Path) -> None:
    """Write the figure to `path`, as its suffix (.png or .svg) says."""
    # Text in the SVG stays text, and the same results make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "l7lb", "font.size": 10}):
        figure = Figure(figsize=(7.2, 4.8), layout="constrained")
        axes = figure.add_subplot()
        for mode, series in _SERIES.items():
            _draw_series(axes, mode, series, results.of(mode))
        _dress(axes, [row.size for row in results.of(Mode.BALANCED)])
        figure.supxlabel(f"{_CAPTION}\n{caption}", fontsize=7.5, color="#555555")
        figure.savefig(path, dpi=_RESOLUTION, metadata={"Date": None} if path.suffix == ".svg" else {})


def _draw_series(axes: Axes, mode: Mode, series: _Series, rows: Sequence[Measurement]) -> None:
    sizes = [row.size for row in rows]
    per_connection = [row.per_connection for row in rows]
    means = [one.mean for one in per_connection]
    axes.fill_between(
        sizes,
        [one.minimum for one in per_connection],
        [one.maximum for one in per_connection],
        color=series.colour,
        alpha=0.15,
        linewidth=0,
    )
    (line,) = axes.plot(
        sizes, means, color=series.colour, marker=series.marker, linestyle=series.dashes, label=mode.value
    )
    line.set_gid(series.identity)
    for size, mean in zip(sizes, means, strict=True):
        axes.annotate(
            f"{mean:,.0f}" if mean >= 100 else f"{mean:.1f}",
            (size, mean),
            xytext=(0, series.above),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=series.colour,
        )


def _dress(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_title("The main namespace packets")
    axes.set_xlabel("size of the response")
    axes.set_ylabel("packets per connection in the main namespace")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes, [label(size) for size in sizes])
    axes.minorticks_off()
    bottom, top = axes.get_ylim()
    axes.set_ylim(min(1, bottom), top * 2)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, color="#DDDDDD")
    axes.set_axisbelow(True)
    axes.legend(loc="upper left")
