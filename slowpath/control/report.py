"""What a reload did, as `l7lb reload` shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from slowpath.control.config import Config, Problem
from slowpath.control.discovery.targets import Target, Targets


class Change(StrEnum):
    """What became of a listener or of a pool."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A mistake in a file; `path` is the key path, empty for the file as a whole."""

    file: str
    line: int
    path: str
    message: str

    @classmethod
    def of(cls, problem: Problem) -> ProblemRow:
        """The same as plain values."""
        return cls(str(problem.file), problem.line, problem.path, problem.message)

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}:{self.line}", self.path, self.message)))


@dataclass(frozen=True, slots=True)
class ListenerRow:
    """A listener: what the configuration asked for it, or `refused`, and why that is."""

    name: str
    address: str
    change: Change
    why: str = ""


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool, and the servers that it has got and lost."""

    name: str
    change: Change
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A reload: `in_force` or not, and then for `problems` or, if the file is right, an `error`.

    Of a reload that failed, rows say what it would have done.
    """

    in_force: bool
    error: str = ""
    problems: tuple[ProblemRow, ...] = ()
    listeners: tuple[ListenerRow, ...] = ()
    pools: tuple[PoolRow, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Report:
        """From plain values; raises ValueError."""
        return TypeAdapter(cls).validate_python(value)


def listener_rows(before: Config, after: Config, refused: Mapping[str, str]) -> tuple[ListenerRow, ...]:
    """Each listener of either configuration; `refused` says of some why they cannot be put in force."""
    rows = [
        ListenerRow(name, str(listener.address), Change.REFUSED, refused[name])
        if name in refused
        else ListenerRow(name, str(listener.address), _change(before.listeners.get(name), listener))
        for name, listener in after.listeners.items()
    ]
    gone = [
        ListenerRow(name, str(listener.address), Change.REMOVED)
        for name, listener in before.listeners.items()
        if name not in after.listeners
    ]
    return (*rows, *gone)


def pool_rows(before: Config, old: Targets, after: Config, new: Targets) -> tuple[PoolRow, ...]:
    """Each pool of either configuration; `old` and `new` are their servers."""
    rows = []
    for name in dict.fromkeys([*after.pools, *before.pools]):
        had, has = _by_address(old.get(name, ())), _by_address(new.get(name, ()))
        if name not in after.pools:
            change = Change.REMOVED
        else:
            change = _change(before.pools.get(name), after.pools[name])
            if change is Change.UNCHANGED and had != has:
                change = Change.CHANGED
        added, removed = (tuple(sorted(one.keys() - other.keys())) for one, other in ((has, had), (had, has)))
        rows.append(PoolRow(name, change, added, removed))
    return tuple(rows)


def _change(before: object, after: object) -> Change:
    if before is None:
        return Change.ADDED
    return Change.UNCHANGED if before == after else Change.CHANGED


def _by_address(targets: Sequence[Target]) -> dict[str, Target]:
    return {str(target.endpoint): target for target in targets}
