"""What was found, as a page, as a table of figures and as one of points (CSV), with the plots."""

from __future__ import annotations

import csv
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench.million import plots
from bench.million.results import Findings

PAGE, PLOT = "benchmarks-million.md", "benchmarks-million.svg"
FIGURES, POINTS = "benchmarks-million-figures.csv", "benchmarks-million-points.csv"


def write(sections: Sequence[Findings], splices: int, command: str, remark: str, directory: Path) -> None:
    """Write everything to `directory`; `remark` is what readers have to know of the run."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / PAGE).write_text(page(sections, splices, command, remark))
    plots.draw([curve for section in sections for curve in section.curves], directory / PLOT)
    _table(directory / FIGURES, ("section", "figure", "value", "unit", "wanted", "note"), _figures(sections))
    _table(directory / POINTS, ("plot", "unit", "curve", "connections", "value"), _points(sections))


def page(sections: Sequence[Findings], splices: int, command: str, remark: str) -> str:
    """The page, in Markdown."""
    lines = [
        f"# {splices:,} connections",
        "",
        f"Written by `{command}`. CPU times are those of the process that is measured: other work on",
        "the machine matters little to them. It does to what the clock says.",
        "",
        f"{_processor()}, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"l7lb {version('l7lb')}. {remark}".rstrip(),
        "",
        f"![Cost over the number of connections]({PLOT})",
        "",
        f"All figures are in `{FIGURES}`, all points in `{POINTS}`, both written beside this page.",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.about.strip(), "", "| | | wanted |", "|---|---|---|"]
        for figure in section.figures:
            name = f"{figure.name} ({figure.note})" if figure.note else figure.name
            lines.append(f"| {name} | {f'{figure.text} {figure.unit}'.strip()} | {figure.wanted} |")
    return "\n".join(lines) + "\n"


def _figures(sections: Sequence[Findings]) -> Iterable[tuple[object, ...]]:
    for section in sections:
        for figure in section.figures:
            yield section.title, figure.name, figure.value, figure.unit, figure.wanted, figure.note


def _points(sections: Sequence[Findings]) -> Iterable[tuple[object, ...]]:
    for section in sections:
        for curve in section.curves:
            for connections, value in zip(curve.connections, curve.values, strict=True):
                yield curve.plot, curve.unit, curve.name, connections, value


def _table(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _processor() -> str:
    """The machine's processor, as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} on {sys.platform}"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
