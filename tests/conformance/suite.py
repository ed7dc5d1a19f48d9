"""The suites that a target runs through: its test module derives a class and has a module-scoped `target` fixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fastpath.errors import Rejected
from tests.conformance.checks import Scenario, check_scenario, check_vector, check_volumes
from tests.conformance.memory_target import MemoryTarget
from tests.conformance.strategies import scenarios
from tests.conformance.target import Target
from tests.conformance.vectors import REFUSED_BY_SWITCHES, SWITCH_VECTORS, VECTORS
from tests.conformance.vectors.model import Vector


def _named(vectors: Sequence[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector.name for vector in vectors])


class HostVectors:
    """The named vectors, for a target on a host."""

    @_named(VECTORS)
    def test_vector(self, target: Target, vector: Vector) -> None:
        check_vector(target, vector)

    def test_volumes(self, target: Target) -> None:
        check_volumes(target)


class SwitchVectors:
    """The named vectors, with what a switch does differently, and those for switches alone."""

    @_named(SWITCH_VECTORS)
    def test_vector(self, target: Target, vector: Vector) -> None:
        check_vector(target, vector)

    @_named(REFUSED_BY_SWITCHES)
    def test_rules_that_are_refused(self, target: Target, vector: Vector) -> None:
        with pytest.raises(Rejected):
            target.program(vector.rules)


class RandomScenarios:
    """Random scenarios next to the reference."""

    examples = 300
    """Random scenarios per run; the header of the test run names their seed."""

    def test_random_scenarios_equal_the_reference(self, target: Target) -> None:
        compare(target, self.examples)


def compare(target: Target, examples: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    """Hold `target` to the reference in `examples` random scenarios; a failure shows the smallest that differs."""
    reference = MemoryTarget(target.profile)

    def check(scenario: Scenario) -> None:
        check_scenario(target, reference, scenario)

    # A target that takes long to program is no defect of the strategies; a stored example is of no use to others.
    limits = settings(
        max_examples=examples,
        phases=phases,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run: Callable[[], None] = limits(given(scenarios(target.profile))(check))
    run()
