"""The measurements of one run: their judgement, and the files that keep them."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.experiment.measurement import Measurement, Mode

MOST_SPREAD = 1.0
"""Packets per connection by which the slow path's mean may differ between sizes."""

_Writer = Callable[[Path], None]
_COLUMNS: dict[str, Callable[[Measurement], object]] = {
    "mode": lambda row: row.mode.value,
    "size_bytes": lambda row: row.size,
    "connections": lambda row: row.connections,
    "packets": lambda row: row.packets,
    "packets_per_connection_mean": lambda row: f"{row.per_connection.mean:.3f}",
    "packets_per_connection_median": lambda row: row.per_connection.median,
    "packets_per_connection_min": lambda row: row.per_connection.minimum,
    "packets_per_connection_max": lambda row: row.per_connection.maximum,
    "captured_packets": lambda row: row.captured,
    "slow_path_packets": lambda row: row.slow_path,
    "load_seconds": lambda row: f"{row.seconds:.3f}",
}


@dataclass(frozen=True, slots=True)
class Results:
    """Measurements, and what they were made with (text that JSON can hold, by topic and name)."""

    measurements: Sequence[Measurement]
    circumstances: Mapping[str, Mapping[str, object]]

    def of(self, mode: Mode) -> list[Measurement]:
        """The measurements in one mode, in order of size."""
        return sorted((row for row in self.measurements if row.mode is mode), key=lambda row: row.size)

    @property
    def spread(self) -> float:
        """Packets by which the slow path's mean per connection differs between the sizes."""
        means = [row.per_connection.mean for row in self.of(Mode.BALANCED)]
        return max(means) - min(means)

    @property
    def flat(self) -> bool:
        """Whether the slow path's packets do not depend on the size."""
        return self.spread <= MOST_SPREAD

    def write(self, directory: Path, plots: Mapping[str, _Writer]) -> list[Path]:
        """Write fig3.csv, fig3.json and `plots` (what writes them, by name) into `directory`; returns their paths.

        What was there under these names is replaced once all are complete.
        """
        writers = {"fig3.csv": self._write_csv, "fig3.json": self._write_json, **plots}
        with tempfile.TemporaryDirectory(prefix=".fig3-", dir=directory) as drafts:
            for name, write in writers.items():
                write(Path(drafts, name))
            return [Path(drafts, name).replace(directory / name) for name in writers]

    def _write_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(_COLUMNS)
            rows.writerows([column(row) for column in _COLUMNS.values()] for mode in Mode for row in self.of(mode))

    def _write_json(self, path: Path) -> None:
        judgement = {"slow_path_spread_packets": self.spread, "most_spread_packets": MOST_SPREAD, "flat": self.flat}
        path.write_text(json.dumps({**self.circumstances, "judgement": judgement}, indent=2) + "\n", encoding="utf-8")
