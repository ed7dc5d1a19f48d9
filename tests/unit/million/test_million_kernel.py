"""The benchmark of the eBPF fast path at its smallest, as the process of its own that it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.million import results

COUNT = 2048


def test_it_counts_what_it_should(tmp_path: Path) -> None:
    """Every splice is installed, translates packets, is read back, and is gone when it was idle."""
    if os.geteuid():
        pytest.skip("network namespaces and BPF need root")
    output = tmp_path / "findings.json"
    command = [sys.executable, "-m", "bench.million.kernel", "--splices", str(COUNT), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = results.load(output)
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["splices read back"] == COUNT
    assert figures["map memory per splice of a full table"] >= 0
    curves = {(curve.plot, curve.name): curve for curve in found.curves}
    assert curves["packet", "connections at random"].connections == [1024, 2048]
    assert all(value > 0 for value in curves["packet", "connections at random"].values)
