"""The rounds: everyone in turn, in an order that turns round as well, so that drifts of the machine meet all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from deploy.comparison.contenders import Contender, up
from deploy.comparison.loads import Load
from deploy.comparison.results import LoadResults, Sample
from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError

Announce = Callable[[str], None]
"""Told what comes next."""


def in_turn(contenders: Sequence[Contender], load: str, number: int) -> Sequence[Contender]:
    """Those that `load` has in round `number` (from 1), in their order; every second round is reversed."""
    return [one for one in contenders if one.only in (None, load)][:: 1 if number % 2 else -1]


def measure(
    load: Load,
    laboratory: Laboratory,
    contenders: Sequence[Contender],
    rounds: int,
    circumstances: Mapping[str, str],
    announce: Announce,
) -> LoadResults:
    """One load in all rounds. What goes wrong with a contender costs its sample, and is told in the results."""
    announce(f"{load.name}: preparing")
    load = load.prepared(laboratory)
    results = LoadResults(load.name, load.title, circumstances)
    for number in range(1, rounds + 1):
        for contender in in_turn(contenders, load.name, number):
            turn = f"{load.name}, round {number}, {contender.name}"
            announce(turn)
            try:
                with up(contender, laboratory) as stage:
                    figures = load.run(laboratory, stage)
            except LaboratoryError as error:
                results.problems.append(f"{turn}: {error}")
                continue
            results.samples += [Sample(contender.name, number, metric, value) for metric, value in figures.items()]
    return results
