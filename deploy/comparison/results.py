"""Samples of all rounds, and what is read from them: medians, spreads, and ratios within rounds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.comparison.metric import METRICS, Metric


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of one contender in one round (from 1)."""

    contender: str
    round: int
    metric: Metric
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Some values: their median, the smallest and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """None if there are no values."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1]) if ordered else None


@dataclass(slots=True)
class LoadResults:
    """What one load measured, under which circumstances (text by name), and what went wrong."""

    name: str
    title: str
    circumstances: Mapping[str, str]
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def metrics(self) -> list[Metric]:
        """Those that have samples, in the order in which they came."""
        return list(dict.fromkeys(sample.metric for sample in self.samples))

    @property
    def contenders(self) -> list[str]:
        """Those that have samples, in the order of the first round."""
        return list(dict.fromkeys(sample.contender for sample in self.samples))

    def spread(self, metric: Metric, contender: str) -> Spread | None:
        """Over the rounds; None without a sample."""
        return Spread.of(self._by_round(metric, contender).values())

    def ratios(self, metric: Metric, contender: str, base: str) -> Spread | None:
        """Of `contender` to `base`, each within its round, as what slows a round down slows both of its terms.

        None if no round has both, or the base is 0.
        """
        own, others = self._by_round(metric, contender), self._by_round(metric, base)
        return Spread.of(own[number] / others[number] for number in own if others.get(number))

    def _by_round(self, metric: Metric, contender: str) -> dict[int, float]:
        return {
            sample.round: sample.value
            for sample in self.samples
            if sample.metric == metric and sample.contender == contender
        }

    def as_json(self) -> dict[str, object]:
        """What JSON can hold."""
        rows = [[one.contender, one.round, one.metric.name, one.value] for one in self.samples]
        return {
            "title": self.title,
            "circumstances": dict(self.circumstances),
            "problems": self.problems,
            "samples": rows,
        }

    @classmethod
    def from_json(cls, name: str, document: Mapping[str, object]) -> LoadResults:
        """The reverse of `as_json`; raises ValueError, KeyError or TypeError for anything else."""
        title, circumstances = document["title"], document["circumstances"]
        problems, rows = document["problems"], document["samples"]
        if not (isinstance(circumstances, dict) and isinstance(problems, list) and isinstance(rows, list)):
            raise TypeError(f"the results of {name} are no results")
        samples = [
            Sample(str(contender), int(number), METRICS[metric], float(value))
            for contender, number, metric, value in rows
        ]
        return cls(name, str(title), circumstances, samples, problems)


Results = Sequence[LoadResults]
"""Of one load after the other."""
