"""The files of a run, and what a later run of some loads leaves of them."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploy.comparison import files, metric, plot
from deploy.comparison.results import LoadResults, Sample
from deploy.laboratory.namespace import LaboratoryError
from tests.unit.comparison.samples import bulk

_ORDER = {"bulk": 0, "latency": 1}


def latency(value: float) -> LoadResults:
    return LoadResults("latency", "Latency", {}, [Sample("direct", 1, metric.P99, value)])


def test_single_loads_take_the_place_of_what_was_there(tmp_path: Path) -> None:
    assert files.merged(tmp_path, [], _ORDER) == []
    files.write(tmp_path, [bulk(), latency(1.0)], {})
    assert files.merged(tmp_path, [latency(2.0)], _ORDER) == [bulk(), latency(2.0)]
    assert files.merged(tmp_path, [bulk()], {"latency": 0}) == [latency(1.0)]


def test_loads_are_in_order_whichever_came_first(tmp_path: Path) -> None:
    files.write(tmp_path, [latency(1.0)], {})
    assert [load.name for load in files.merged(tmp_path, [bulk()], _ORDER)] == ["bulk", "latency"]


@pytest.mark.parametrize("text", ["", "[]", '{"bulk": 1}', '{"bulk": {"title": "Bulk"}}'])
def test_what_is_of_another_version_is_not_touched(tmp_path: Path, text: str) -> None:
    (tmp_path / "benchmarks.json").write_text(text)
    with pytest.raises(LaboratoryError, match="is not of this version"):
        files.merged(tmp_path, [], _ORDER)


def test_the_csv_has_a_row_for_each_sample(tmp_path: Path) -> None:
    files.write(tmp_path, [bulk()], {})
    with (tmp_path / "benchmarks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert rows[0] == {
        "load": "bulk",
        "contender": "direct",
        "round": "1",
        "metric": "throughput_mb_per_s",
        "value": "1000.0",
    }


def test_files_are_replaced_once_all_are_complete(tmp_path: Path) -> None:
    def failing(_: Path) -> None:
        raise OSError(28, "No space left on device")

    files.write(tmp_path, [latency(1.0)], {})
    with pytest.raises(LaboratoryError, match=r"cannot write results to .*: No space left on device"):
        files.write(tmp_path, [latency(2.0)], {"benchmarks.md": failing})
    assert files.merged(tmp_path, [], _ORDER) == [latency(1.0)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["benchmarks.csv", "benchmarks.json"]


def test_figures_show_what_was_measured(tmp_path: Path) -> None:
    assert plot.drawable([latency(1.0)]) == ["latency"]
    assert plot.drawable([bulk()]) == ["speed", "cost"]
    plot.draw([bulk()], "speed", tmp_path / "one.svg")
    texts = {"".join(element.itertext()).strip() for element in ET.parse(tmp_path / "one.svg").iter()}  # noqa: S314
    assert {"bulk: MB/s", "direct", "l7lb connection", "haproxy", "800", "100"} <= texts
    plot.draw([bulk()], "speed", tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    plot.draw([bulk()], "speed", tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
