"""Seeded faults in the P4 source: the vectors must find every one in the program that the model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import p4_tofino
from tests.conformance import p4_faults, tofino_faults, tofino_switch, v1model_faults, v1model_switch
from tests.conformance.checks import check_vector
from tests.conformance.p4_faults import Fault
from tests.conformance.p4_target import P4Target, Switch
from tests.conformance.vectors import SWITCH_VECTORS

_VECTORS = {vector.name: vector for vector in SWITCH_VECTORS}


@dataclass(frozen=True, slots=True)
class _Architecture:
    """Its own faults, and a switch whose program has the texts of an overlay in the place of its files."""

    name: str
    faults: tuple[Fault, ...]
    switch: Callable[[Mapping[Path, str]], Switch]


_ARCHITECTURES = (
    _Architecture(
        "tofino",
        tofino_faults.FAULTS,
        lambda overlay: tofino_switch.TofinoSwitch(tofino_switch.compiled(overlay=overlay)),
    ),
    _Architecture(
        "v1model",
        v1model_faults.FAULTS,
        lambda overlay: v1model_switch.V1ModelSwitch(v1model_switch.compiled(overlay=overlay)),
    ),
)
_CASES = [
    pytest.param(architecture, fault, id=f"{architecture.name}-{fault.name}")
    for architecture in _ARCHITECTURES
    for fault in (*p4_faults.FAULTS, *architecture.faults)
]


@pytest.mark.parametrize("architecture", _ARCHITECTURES, ids=[one.name for one in _ARCHITECTURES])
def test_without_a_fault_the_same_vectors_pass(architecture: _Architecture) -> None:
    target = P4Target(architecture.switch({}))
    try:
        for name in sorted({fault.found_by for fault in (*p4_faults.FAULTS, *architecture.faults)}):
            check_vector(target, _VECTORS[name])
    finally:
        target.close()


@pytest.mark.parametrize(("architecture", "fault"), _CASES)
def test_the_vectors_find(architecture: _Architecture, fault: Fault) -> None:
    file = p4_tofino.DIRECTORY / fault.file
    text = file.read_text()
    assert text.count(fault.right) == 1, f"{fault.right!r} is not in {fault.file} exactly once"
    target = P4Target(architecture.switch({file: text.replace(fault.right, fault.wrong)}))
    try:
        with pytest.raises(AssertionError):
            check_vector(target, _VECTORS[fault.found_by])
    finally:
        target.close()
