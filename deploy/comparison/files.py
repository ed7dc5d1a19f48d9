"""The files of a run: what was measured, kept so that single loads can be measured again, and what is drawn of it."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.comparison.results import LoadResults, Results
from deploy.laboratory.namespace import LaboratoryError

NAME = "benchmarks"
_KEPT = f"{NAME}.json"
Writer = Callable[[Path], None]


def merged(directory: Path, measured: Results, order: Mapping[str, int]) -> Results:
    """`measured`, and what `directory` has of other loads, in `order` (by name); raises LaboratoryError.

    Loads that are not in `order` any more are left out.
    """
    by_name = {load.name: load for load in [*_kept(directory), *measured]}
    return sorted((load for load in by_name.values() if load.name in order), key=lambda load: order[load.name])


def write(directory: Path, results: Results, others: Mapping[str, Writer]) -> list[Path]:
    """Write JSON, CSV and `others` (what writes them, by name); returns their paths, or raises LaboratoryError.

    What was there under these names is replaced once all are complete.
    """
    writers: dict[str, Writer] = {
        _KEPT: lambda path: _write_json(path, results),
        f"{NAME}.csv": lambda path: _write_csv(path, results),
        **others,
    }
    try:
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=directory) as drafts:
            for name, writer in writers.items():
                writer(Path(drafts, name))
            return [Path(drafts, name).replace(directory / name) for name in writers]
    except OSError as error:
        raise LaboratoryError(f"cannot write results to {directory}: {error.strerror}") from error


def _kept(directory: Path) -> Results:
    path = directory / _KEPT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [LoadResults.from_json(name, load) for name, load in document.items()]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LaboratoryError(f"{path} is not of this version: remove it, or choose another directory") from None


def _write_json(path: Path, results: Results) -> None:
    document = {load.name: load.as_json() for load in results}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, results: Results) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("load", "contender", "round", "metric", "value"))
        for load in results:
            rows.writerows((load.name, one.contender, one.round, one.metric.name, one.value) for one in load.samples)
