"""Findings: kept, written as a page and tables, and drawn."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.million import plots, report, results
from bench.million.results import Curve, Figure, Findings


@pytest.fixture
def findings() -> Findings:
    """One of everything."""
    found = Findings("A section", "What it is about.")
    found.add("a rate", 123_456.7, "1/s", wanted=">= 100,000")
    found.add("a count", 3, note="beside it")
    for name in ("one", "other"):
        curve = found.curve("install", "us", name)
        curve.add(1024, 1.5)
        curve.add(2048, 1.25)
    found.curve("packet", "ns", "program").add(1024, 800)
    return found


def test_findings_are_kept(findings: Findings, tmp_path: Path) -> None:
    """Nothing changes on the way."""
    results.save(findings, tmp_path / "findings.json")
    assert results.load(tmp_path / "findings.json") == findings


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1048576, "1,048,576"), (123456.7, "123,457"), (123.44, "123.4"), (1.234, "1.23"), (0.01234, "0.012")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    """Or all that an integer has."""
    assert Figure("a figure", value).text == text


def test_curves_with_one_title_and_unit_share_a_plot(findings: Findings) -> None:
    """In the order in which they were found."""
    plotted = plots.grouped(findings.curves)
    assert {key: [curve.name for curve in curves] for key, curves in plotted.items()} == {
        ("install", "us"): ["one", "other"],
        ("packet", "ns"): ["program"],
    }


def test_everything_is_written(findings: Findings, tmp_path: Path) -> None:
    """Page, plot and tables."""
    report.write([findings], 2048, "python -m bench.million", "A remark.", tmp_path)
    page = (tmp_path / report.PAGE).read_text()
    assert "# 2,048 connections" in page
    assert "A remark.\n" in page
    assert "| a rate | 123,457 1/s | >= 100,000 |" in page
    assert "| a count (beside it) | 3 |  |" in page
    with (tmp_path / report.FIGURES).open() as file:
        assert [*csv.reader(file)][1] == ["A section", "a rate", "123456.7", "1/s", ">= 100,000", ""]
    with (tmp_path / report.POINTS).open() as file:
        assert [*csv.reader(file)][1:3] == [
            ["install", "us", "one", "1024", "1.5"],
            ["install", "us", "one", "2048", "1.25"],
        ]
    drawn = (tmp_path / report.PLOT).read_text()
    assert all(text in drawn for text in ("<svg", "install", "connections", "program"))


def test_the_same_results_make_the_same_plot(tmp_path: Path) -> None:
    """So that a new one shows in a diff."""
    curves = [Curve("install", "us", "eBPF", [1024, 2048], [1.0, 2.0])]
    for name in ("one.svg", "other.svg"):
        plots.draw(curves, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
