"""CPU time as /proc/stat has it."""

from __future__ import annotations

import os

import pytest

from deploy.comparison import cpu

_STAT = """\
cpu  999 999 999 999 999 999 999 999 999 999
cpu0 100 20 30 5000 700 4 6 900 50 5
cpu1 1 2 3 4 5 6 7 8 9 10
cpu10 1000 0 0 0 0 0 0 0 0 0
intr 1 2 3
ctxt 5
"""
_TICKS = os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("cpus", "ticks"), [({0}, 160), ({1}, 19), ({0, 1}, 179), ({10}, 1000), (set(), 0)], ids=str)
def test_busy_is_what_is_neither_idle_nor_stolen_nor_counted_twice(cpus: set[int], ticks: int) -> None:
    assert cpu.busy_seconds(cpus, _STAT) == ticks / _TICKS


def test_a_meter_counts_what_this_process_burns() -> None:
    used = os.times()
    with cpu.Meter() as meter:
        while os.times().user - used.user < 0.2:
            pass
    assert meter.seconds >= 0.15
