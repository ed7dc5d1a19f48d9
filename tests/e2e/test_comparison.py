"""The comparison, in short: everyone is started and serves every request; how fast does not matter here."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from deploy.comparison.contenders import contenders
from deploy.laboratory.namespace import sh

_TIMEOUT = 120.0


def test_everyone_is_measured_and_the_results_are_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slowpath.control.cli", "bench", "--quick", "--only", "latency"]
    said = sh([*command, "--output", str(tmp_path)], timeout=_TIMEOUT)
    assert "FAILED" not in said
    with (tmp_path / "benchmarks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    everyone = [one.name for one in contenders(quick=True) if one.only is None]
    assert {"direct", "l7lb connection", "l7lb request", "haproxy", "nginx"} <= set(everyone)
    assert [row["contender"] for row in rows if row["metric"] == "p99_us"] == everyone
    assert {row["load"] for row in rows} == {"latency"}
    for suffix in ("json", "csv", "md"):
        assert str(tmp_path / f"benchmarks.{suffix}") in said
    assert {path.name for path in tmp_path.glob("*.svg")} == {"benchmarks-latency.svg"}
