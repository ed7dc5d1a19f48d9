"""The judgement, and the files of a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from deploy.experiment.measurement import Measurement, Mode, PerConnection
from deploy.experiment.tally import Direction, Tally
from tests.unit.experiment.frames import CLIENT, CLIENTS, SERVER, frame
from tests.unit.experiment.samples import FLAT, GROWING, TRANSPARENT, results


@pytest.mark.parametrize(
    ("means", "flat"),
    [
        (FLAT, True),
        (GROWING, False),
        ({1_000: 5.01, 100_000: 4.5, 10_000_000: 4.0}, False),
        ({1_000: 4.0, 100_000: 6.0, 10_000_000: 4.0}, False),
    ],
    ids=["by one packet", "by more", "downwards", "in between"],
)
def test_flat_is_a_slow_path_that_differs_by_one_packet_at_most(means: dict[int, float], flat: bool) -> None:
    made = results(means)
    assert made.flat is flat
    assert made.spread == pytest.approx(max(means.values()) - min(means.values()))


def test_a_measurement_is_of_the_connections_with_data() -> None:
    tally = Tally(CLIENTS)
    for port, count in ((40_000, 3), (40_001, 6), (40_002, 3)):
        tally.add(Direction.IN, frame((CLIENT, port), (SERVER, 80), payload=1))
        for _ in range(count - 1):
            tally.add(Direction.OUT, frame((SERVER, 80), (CLIENT, port)))
    tally.add(Direction.IN, frame((CLIENT, 40_003), (SERVER, 80)))
    measured = Measurement.of(Mode.BALANCED, 1_000, tally, slow_path=13, seconds=1.5)
    assert measured == Measurement(Mode.BALANCED, 1_000, 3, 12, PerConnection(4.0, 3, 3, 6), 13, 13, 1.5)


def test_the_table_has_a_row_for_each_mode_and_size(tmp_path: Path) -> None:
    results(FLAT).write(tmp_path, {})
    with (tmp_path / "fig3.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["mode"], int(row["size_bytes"])) for row in rows] == [
        *(("no L7LB", size) for size in TRANSPARENT),
        *(("with L7LB", size) for size in FLAT),
    ]
    assert rows[0] == {
        "mode": "no L7LB",
        "size_bytes": "1000",
        "connections": "10",
        "packets": "90",
        "packets_per_connection_mean": "9.000",
        "packets_per_connection_median": "9.0",
        "packets_per_connection_min": "8",
        "packets_per_connection_max": "10",
        "captured_packets": "92",
        "slow_path_packets": "",
        "load_seconds": "0.250",
    }
    assert {row["slow_path_packets"] == row["captured_packets"] for row in rows if row["mode"] == "with L7LB"} == {True}


def test_what_it_was_made_with_and_the_judgement_are_kept(tmp_path: Path) -> None:
    results(GROWING).write(tmp_path, {})
    kept = json.loads((tmp_path / "fig3.json").read_text())
    assert kept["parameters"] == {"fastpath": "ebpf", "sizes_bytes": [1_000, 100_000, 10_000_000]}
    assert kept["judgement"]["flat"] is False
    assert kept["judgement"]["slow_path_spread_packets"] == pytest.approx(1.01)


def test_files_are_replaced_by_finished_ones_only(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half of a pl")
        raise OSError(28, "No space left on device")

    for name in ("fig3.csv", "fig3.png", "notes.txt"):
        (tmp_path / name).write_text("of an earlier run")
    with pytest.raises(OSError, match="No space left"):
        results(FLAT).write(tmp_path, {"fig3.png": fail})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("fig3.csv", "fig3.png", "notes.txt"), "of an earlier run"
    )
    written = results(FLAT).write(tmp_path, {"fig3.png": lambda path: path.touch()})
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", *(path.name for path in written)}
    assert (tmp_path / "fig3.csv").read_text().startswith("mode,size_bytes")
