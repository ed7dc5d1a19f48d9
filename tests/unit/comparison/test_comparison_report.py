"""Targets, tables, and the page."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from deploy.comparison import document, metric, report
from deploy.comparison.results import LoadResults, Sample
from deploy.comparison.targets import verdicts
from tests.unit.comparison.samples import bulk


def judged(results: LoadResults, figure: metric.Metric) -> dict[str, bool | None]:
    """By whom the ratio is to, of the bulk load."""
    found = verdicts([results])
    return {one.base: one.reached for one in found if (one.target.load, one.target.metric) == ("bulk", figure)}


def test_more_throughput_and_less_cpu_reach_a_target() -> None:
    reached = judged(bulk(), metric.THROUGHPUT)
    assert (reached["direct"], reached["haproxy"], reached["haproxy auto"]) == (True, True, None)
    reached = judged(bulk(), metric.CPU_PER_GB)
    assert (reached["direct"], reached["haproxy"]) == (True, False)


@pytest.mark.parametrize(("value", "reached"), [(95.0, True), (94.9, False)])
def test_a_bound_belongs_to_what_reaches_it(value: float, reached: bool) -> None:
    samples = [
        Sample("direct", 1, metric.THROUGHPUT, 100.0),
        Sample("l7lb connection", 1, metric.THROUGHPUT, value),
    ]
    assert judged(LoadResults("bulk", "", {}, samples), metric.THROUGHPUT)["direct"] is reached


def test_a_table_has_medians_spreads_and_ratios() -> None:
    throughput, cpu = report.grids(bulk())
    assert (throughput.title, cpu.title) == ("Bulk", "")
    assert throughput.headings == ("MB/s", "median", "least", "most", "÷ direct", "÷ haproxy")
    assert throughput.rows == (
        ("direct", "800", "500", "1,000", "1.00", "5.56"),
        ("l7lb connection", "800", "480", "990", "0.99", "5.33"),
        ("haproxy", "100", "90", "200", "0.18", "1.00"),
    )
    assert cpu.rows[0] == ("direct", "0.500", "0.500", "0.500", "1.00", "1.00")


def test_small_ratios_keep_their_digits_and_what_was_not_measured_is_a_dash() -> None:
    samples = [Sample("direct", 1, metric.P50, 5.0), Sample("envoy", 1, metric.P50, 1000.0)]
    (grid,) = report.grids(LoadResults("latency", "", {}, samples))
    assert grid.rows == (("direct", "5", "5", "5", "1.00", "–"), ("envoy", "1,000", "1,000", "1,000", "200.00", "–"))
    samples.append(Sample("haproxy", 1, metric.P50, 100.0))
    (grid,) = report.grids(LoadResults("latency", "", {}, samples))
    assert grid.rows[0][-1] == "0.050"


def test_the_terminal_gets_the_targets_and_the_problems() -> None:
    shown = io.StringIO()
    console = Console(width=120, file=shown)
    report.show(console, [bulk(("bulk, round 1, nginx: [it] ended",))])
    text = shown.getvalue()
    assert "FAILED: bulk, round 1, nginx: [it] ended" in text
    line = next(line for line in text.splitlines() if "MB/s" in line and "haproxy " in line and "≥ 5.00" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")][-2:] == ["5.33", "reached"]


def test_the_page_has_the_tables_the_figures_and_what_it_was_made_with(tmp_path: Path) -> None:
    other = LoadResults("idle", "Idle", {"machine": "a big one"}, [Sample("direct", 1, metric.PROCESS_MEMORY, 0.0)])
    document.write([bulk(("bulk, round 1, nginx: ended\nwith a log",)), other], tmp_path / "benchmarks.md")
    lines = (tmp_path / "benchmarks.md").read_text().splitlines()
    assert lines[0] == "# Benchmarks"
    assert "| bulk | l7lb connection, MB/s | direct | ≥ 0.95 | 0.99 | reached |" in lines
    assert "| l7lb connection | 800 | 480 | 990 | 0.99 | 5.33 |" in lines
    assert "- bulk, round 1, nginx: ended" in lines
    assert {"bulk:", "| machine | a small one |", "idle:", "| machine | a big one |"} <= set(lines)
    assert max(map(len, lines)) <= 120
