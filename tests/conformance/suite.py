"""The suites that a target runs through: its test module derives a class and has a module-scoped `target` fixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.conformance.checks import Scenario, check_scenario, check_vector
from tests.conformance.memory_target import MemoryTarget
from tests.conformance.strategies import scenarios
from tests.conformance.target import Target
from tests.conformance.vectors import VECTORS
from tests.conformance.vectors.model import Vector


class VectorSuite:
    """The named vectors."""

    @pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
    def test_vector(self, target: Target, vector: Vector) -> None:
        check_vector(target, vector)


class ConformanceSuite(VectorSuite):
    """The named vectors, and random scenarios next to the reference."""

    examples = 300
    """Random scenarios per run; the header of the test run names their seed."""

    def test_random_scenarios_equal_the_reference(self, target: Target) -> None:
        compare(target, self.examples)


def compare(target: Target, examples: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    """Hold `target` to the reference in `examples` random scenarios; a failure shows the smallest that differs."""
    reference = MemoryTarget()

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
    run: Callable[[], None] = limits(given(scenarios())(check))
    run()
