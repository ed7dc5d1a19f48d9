"""All that a device remembers between packets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from p4model.objects import ProgramInfo
from p4model.state.indexed import IndexedCounter, IndexedRegister
from p4model.state.tables import MatchTable


class _Info(Protocol):
    @property
    def name(self) -> str: ...


class _Held(Protocol):
    @property
    def info(self) -> _Info: ...


_H = TypeVar("_H", bound=_Held)


class DeviceState:
    """The tables, counters and registers of a program, each by its full name in `info`; KeyError for others."""

    def __init__(self, info: ProgramInfo) -> None:
        self.info = info
        self.tables = _by_name(MatchTable(table) for table in info.tables)
        self.counters = _by_name(IndexedCounter(counter) for counter in info.counters)
        self.registers = _by_name(IndexedRegister(register) for register in info.registers)

    def table(self, name: str) -> MatchTable:
        """The table of this name."""
        return self.tables[name]

    def counter(self, name: str) -> IndexedCounter:
        """The indirect counter of this name."""
        return self.counters[name]

    def register(self, name: str) -> IndexedRegister:
        """The register of this name."""
        return self.registers[name]


def _by_name(held: Iterable[_H]) -> dict[str, _H]:
    return {one.info.name: one for one in held}
