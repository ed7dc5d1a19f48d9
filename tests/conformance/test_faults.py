"""The suite is only worth something if it finds faults: here are some."""

from __future__ import annotations

import pytest
from hypothesis import Phase

from tests.conformance.checks import failures
from tests.conformance.faults import FAULTS, Fault, mutant
from tests.conformance.memory_target import MemoryTarget
from tests.conformance.suite import compare
from tests.conformance.vectors import VECTORS


def test_a_mutant_without_a_fault_passes() -> None:
    assert failures(MemoryTarget(mutant(None)), VECTORS) == []


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_vectors_find(fault: Fault) -> None:
    assert failures(MemoryTarget(mutant(fault)), VECTORS)


@pytest.mark.parametrize("name", ["SEQ delta off by one", "one's complement sum without the carry", "ports swapped"])
def test_the_random_scenarios_find(name: str) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    with pytest.raises(AssertionError):
        compare(MemoryTarget(mutant(fault)), examples=200, phases=[Phase.generate])
