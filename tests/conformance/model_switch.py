"""What every switch that `p4model` is has in common: frames go through the program at once, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastpath.records import Drop
from p4model.device import Result
from p4model.state import DeviceState
from tests.conformance.p4_target import FIRST_DROP


def outputs(result: Result) -> Sequence[tuple[int, bytes]]:
    """What leaves; AssertionError for a program that does what P4 leaves undefined."""
    assert not result.findings, result.findings
    return result.outputs


def dropped(state: DeviceState) -> Mapping[Drop, int]:
    """How many frames the program has counted as dropped."""
    (outcomes,) = (counter for name, counter in state.counters.items() if name.endswith(".outcomes"))
    return {drop: outcomes.read(FIRST_DROP + drop, from_hardware=True)[0] for drop in Drop}
