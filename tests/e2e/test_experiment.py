"""The paper's experiment, in short: what L7LB's slow path carries is flat, what a router carries grows."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from deploy.laboratory.namespace import sh
from tests.targets import V1MODEL_SWITCH

_SIZES = {"1k": 1_000, "100k": 100_000, "1M": 1_000_000}
_CLIENTS, _REQUESTS = 2, 5
_CONNECTIONS = _CLIENTS * _REQUESTS
_TIMEOUT = 120.0
_FRAME_PAYLOAD = 1460
FIG3 = [
    *(sys.executable, "-m", "slowpath.control.cli", "experiment", "fig3"),
    *("--sizes", ",".join(_SIZES), "--clients", str(_CLIENTS), "--servers", "2", "--requests", str(_REQUESTS)),
]


@pytest.fixture(scope="module", params=["ebpf", "model", V1MODEL_SWITCH])
def fastpath(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def output(fastpath: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory with the results of one run, and what it said."""
    directory = tmp_path_factory.mktemp("fig3")
    said = sh([*FIG3, "--fastpath", fastpath, "--output", str(directory)], timeout=_TIMEOUT)
    return directory, said


def rows(directory: Path, mode: str) -> list[dict[str, float]]:
    """The numbers of one mode, in order of size."""
    with (directory / "fig3.csv").open(newline="") as file:
        found = [row for row in csv.DictReader(file) if row.pop("mode") == mode]
    return [{name: float(value) for name, value in row.items() if value} for row in found]


def test_each_request_is_a_connection_in_both_modes(output: tuple[Path, str]) -> None:
    directory, _ = output
    for mode in ("no L7LB", "with L7LB"):
        found = rows(directory, mode)
        assert [row["size_bytes"] for row in found] == list(_SIZES.values())
        assert {row["connections"] for row in found} == {_CONNECTIONS}


def test_a_router_carries_every_packet_of_a_transfer(output: tuple[Path, str]) -> None:
    directory, _ = output
    for row in rows(directory, "no L7LB"):
        segments = row["size_bytes"] / _FRAME_PAYLOAD
        # The handshake, the request and the FINs come on top, and at most an ACK for each segment.
        assert segments + 6 <= row["packets_per_connection_min"]
        assert row["packets_per_connection_median"] <= 2 * segments + 12


def test_the_slow_path_is_flat_and_agrees_with_the_capture(output: tuple[Path, str]) -> None:
    directory, said = output
    found = rows(directory, "with L7LB")
    means = [row["packets_per_connection_mean"] for row in found]
    assert max(means) - min(means) <= 1
    # At the least the request comes, and a SYN, its answer and the request cross for the server.
    assert min(means) >= 4
    for row in found:
        assert row["slow_path_packets"] == row["captured_packets"] >= row["packets"]
    assert "do not grow" in said


def test_the_files_tell_what_they_were_made_with(output: tuple[Path, str], fastpath: str) -> None:
    directory, said = output
    assert {path.name for path in directory.iterdir()} == {"fig3.csv", "fig3.json", "fig3.png", "fig3.svg"}
    assert all(str(path) in said for path in directory.iterdir())
    kept = json.loads((directory / "fig3.json").read_text())
    assert kept["parameters"]["fastpath"] == fastpath
    assert kept["parameters"]["requests_per_client"] == {str(size): _REQUESTS for size in _SIZES.values()}
    assert kept["judgement"]["flat"] is True
    assert kept["made_with"]["nginx"].startswith("nginx version")
