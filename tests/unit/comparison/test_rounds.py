"""Turns, and what a turn that fails costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self, cast

import pytest

from deploy.comparison import metric
from deploy.comparison.contenders import Contender, Stage
from deploy.comparison.metric import Metric
from deploy.comparison.rounds import in_turn, measure
from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError

NOWHERE = cast(Laboratory, None)
"""No contender here looks at it."""


@dataclass
class Named:
    """A contender that may fail to start."""

    name: str
    only: str | None = None
    broken: bool = False
    happened: list[str] = field(default_factory=list)

    def up(self, laboratory: Laboratory) -> Iterator[Stage]:
        if self.broken:
            raise LaboratoryError("it does not start")
        self.happened.append("up")
        try:
            yield Stage(self.name, 80, None)
        finally:
            self.happened.append("down")


@dataclass(frozen=True)
class Counting:
    """A load that measures the length of the address, and fails at `failing`."""

    failing: str = ""
    rate: int = 0
    name = "counting"
    title = "Counting"

    def prepared(self, laboratory: Laboratory) -> Self:
        return type(self)(self.failing, 100)

    def run(self, laboratory: Laboratory, stage: Stage) -> dict[Metric, float]:
        if stage.address == self.failing:
            raise LaboratoryError("a request failed")
        return {metric.P50: float(self.rate + len(stage.address))}


@pytest.mark.parametrize(("number", "order"), [(1, "abc"), (2, "cba"), (3, "abc")])
def test_every_second_round_is_reversed(number: int, order: str) -> None:
    contenders: list[Contender] = [Named("a"), Named("b", "counting"), Named("other", "bulk"), Named("c")]
    assert "".join(one.name for one in in_turn(contenders, "counting", number)) == order


def test_everyone_is_started_for_each_turn_and_stopped_after_it() -> None:
    contenders = [Named("one"), Named("three")]
    announced: list[str] = []
    results = measure(Counting(), NOWHERE, list(contenders), 2, {}, announced.append)
    assert [(one.contender, one.round, one.value) for one in results.samples] == [
        *(("one", 1, 103.0), ("three", 1, 105.0)),
        *(("three", 2, 105.0), ("one", 2, 103.0)),
    ]
    assert contenders[0].happened == contenders[1].happened == ["up", "down"] * 2
    assert announced[1:] == [f"counting, round {turn}" for turn in ("1, one", "1, three", "2, three", "2, one")]


def test_what_fails_costs_its_own_sample_only() -> None:
    contenders = [Named("one"), Named("two"), Named("three", broken=True)]
    results = measure(Counting(failing="two"), NOWHERE, list(contenders), 1, {}, lambda _: None)
    assert [one.contender for one in results.samples] == ["one"]
    assert results.problems == [
        "counting, round 1, two: a request failed",
        "counting, round 1, three: it does not start",
    ]
    assert contenders[1].happened == ["up", "down"]
