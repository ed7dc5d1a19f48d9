"""The suite is only worth something if it finds faults: here are some."""

from __future__ import annotations

import pytest
from hypothesis import Phase

from fastpath.profile import HOST, SWITCH, Profile
from tests.conformance.checks import failures
from tests.conformance.faults import FAULTS, Fault, mutant
from tests.conformance.ipv6_faults import IPV6_FAULTS
from tests.conformance.path_faults import PATH_FAULTS
from tests.conformance.suite import compare
from tests.conformance.switch_faults import SWITCH_FAULTS
from tests.conformance.target import Target
from tests.conformance.vectors import REFUSED_BY_SWITCHES, SWITCH_VECTORS, VECTORS


def _refused(target: Target) -> bool:
    """Whether `target` refuses what a switch must refuse."""
    return len(failures(target, REFUSED_BY_SWITCHES)) == len(REFUSED_BY_SWITCHES)


def test_a_mutant_without_a_fault_passes() -> None:
    assert failures(mutant(None), VECTORS) == []
    assert failures(mutant(None, SWITCH), SWITCH_VECTORS) == []
    assert _refused(mutant(None, SWITCH))


_FAULTS = (*FAULTS, *IPV6_FAULTS, *PATH_FAULTS)


@pytest.mark.parametrize("fault", _FAULTS, ids=[fault.name for fault in _FAULTS])
def test_the_vectors_find(fault: Fault) -> None:
    assert failures(mutant(fault), VECTORS)


@pytest.mark.parametrize("fault", SWITCH_FAULTS, ids=[fault.name for fault in SWITCH_FAULTS])
def test_the_vectors_for_switches_find(fault: Fault) -> None:
    target = mutant(fault, SWITCH)
    assert failures(target, SWITCH_VECTORS) or not _refused(target)


@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
@pytest.mark.parametrize("name", ["SEQ delta off by one", "one's complement sum without the carry", "ports swapped"])
def test_the_random_scenarios_find(name: str, profile: Profile) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    with pytest.raises(AssertionError):
        compare(mutant(fault, profile), examples=200, phases=[Phase.generate])
