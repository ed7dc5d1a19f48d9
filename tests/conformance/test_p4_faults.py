"""Seeded faults in the P4 source: the vectors must find every one in the program that the model runs."""

from __future__ import annotations

import pytest

import p4_tofino
from tests.conformance.checks import check_vector
from tests.conformance.p4_faults import FAULTS, Fault
from tests.conformance.p4_target import P4Target, compiled
from tests.conformance.vectors import SWITCH_VECTORS

_VECTORS = {vector.name: vector for vector in SWITCH_VECTORS}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_vectors_find(fault: Fault) -> None:
    file = p4_tofino.DIRECTORY / fault.file
    text = file.read_text()
    assert text.count(fault.right) == 1, f"{fault.right!r} is not in {fault.file} exactly once"
    target = P4Target(compiled(overlay={file: text.replace(fault.right, fault.wrong)}))
    try:
        with pytest.raises(AssertionError):
            check_vector(target, _VECTORS[fault.found_by])
    finally:
        target.close()
