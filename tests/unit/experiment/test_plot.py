"""The figure: files of the right kind, with the run's own numbers in them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploy.experiment import plot
from tests.unit.experiment.samples import FLAT, TRANSPARENT, results

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def svg(tmp_path_factory: pytest.TempPathFactory) -> ET.Element:
    path = tmp_path_factory.mktemp("plot") / "fig3.svg"
    plot.draw(results(FLAT), "an emulated switch; 4 clients", path)
    return ET.parse(path).getroot()  # noqa: S314 - our own file


def points(svg: ET.Element, series: str) -> list[tuple[float, float]]:
    """The vertices of a series' line in the file's coordinates, where y grows downwards."""
    (group,) = (element for element in svg.iter(f"{_SVG}g") if element.get("id") == series)
    line = group.find(f"{_SVG}path")
    assert line is not None
    vertices = re.findall(r"[ML] (\S+) (\S+)", line.get("d", ""))
    return [(float(x), float(y)) for x, y in vertices]


def test_both_axes_are_logarithmic_and_every_point_is_where_its_numbers_say(svg: ET.Element) -> None:
    numbers = [*TRANSPARENT.items(), *FLAT.items()]
    drawn = [*points(svg, "no-l7lb"), *points(svg, "with-l7lb")]
    assert len(drawn) == len(numbers)
    (first, *_, last), (start, *_, end) = numbers[:3], drawn[:3]
    for (number, place), axis in ((pair, axis) for pair in zip(numbers, drawn, strict=True) for axis in (0, 1)):
        scale = (end[axis] - start[axis]) / math.log(last[axis] / first[axis])
        assert place[axis] == pytest.approx(start[axis] + scale * math.log(number[axis] / first[axis]), abs=0.01)


def test_labels_name_what_is_shown(svg: ET.Element) -> None:
    texts = {"".join(element.itertext()).strip() for element in svg.iter(f"{_SVG}text")}
    assert {"The main namespace packets", "no L7LB", "with L7LB", "1 kB", "100 kB", "10 MB"} <= texts
    assert {"9.0", "103", "8,189", "4.0", "4.5", "5.0"} <= texts, "the means stand beside their points"
    assert any("an emulated switch; 4 clients" in text for text in texts)


def test_the_png_is_one(tmp_path: Path) -> None:
    plot.draw(results(FLAT), "", tmp_path / "fig3.png")
    assert (tmp_path / "fig3.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_same_results_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        plot.draw(results(FLAT), "", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
