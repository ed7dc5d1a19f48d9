"""CPU time of the whole machine, so that what the kernel does in softirqs counts for everyone."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

_STAT = Path("/proc/stat")
_LINE = re.compile(r"^cpu(\d+) (.+)$", re.M)
_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4, 7)
"""The columns idle, iowait and steal (proc(5)): in none of them was a CPU busy with this machine's work."""
_COLUMNS = 8
"""What guests use, behind these, is part of user and nice."""


def busy_seconds(cpus: Collection[int], stat: str | None = None) -> float:
    """Seconds that `cpus` have been busy since boot; `stat` is the text of /proc/stat, read now if None."""
    text = _STAT.read_text() if stat is None else stat
    return sum(_busy(columns.split()) for number, columns in _LINE.findall(text) if int(number) in cpus) / _TICKS


def _busy(columns: list[str]) -> int:
    return sum(int(ticks) for column, ticks in enumerate(columns[:_COLUMNS]) if column not in _IDLE)


class Meter:
    """A context; `seconds` is the busy time of the CPUs that this process may use, meanwhile."""

    def __init__(self) -> None:
        self._cpus = os.sched_getaffinity(0)
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._before = busy_seconds(self._cpus)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.seconds = busy_seconds(self._cpus) - self._before
