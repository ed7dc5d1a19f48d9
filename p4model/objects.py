"""What a compiled program offers to its control plane: tables, actions, counters, registers, digests.

Values only; names are those of bf-rt.json without the pipeline's prefix, such as `Ingress.classify.vips`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MatchKind(Enum):
    """How a key field matches (P4_16 section 14.2.1.1; range is TNA's)."""

    EXACT = "exact"
    TERNARY = "ternary"
    LPM = "lpm"
    RANGE = "range"


class ActionScope(Enum):
    """Where an action may be used (@tableonly and @defaultonly)."""

    TABLE_AND_DEFAULT = "TableAndDefault"
    TABLE_ONLY = "TableOnly"
    DEFAULT_ONLY = "DefaultOnly"


class Counts(Enum):
    """What a counter counts (TNA CounterType_t)."""

    PACKETS = "packets"
    BYTES = "bytes"
    PACKETS_AND_BYTES = "packets_and_bytes"


@dataclass(frozen=True, slots=True)
class Field:
    """A named value of `width` bits: an action parameter, a member of a digest or of a register."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key field of a table; `name` is the P4 expression or its @name."""

    name: str
    kind: MatchKind
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    """An action with the parameters that the control plane gives (those without a direction)."""

    name: str
    parameters: tuple[Field, ...]
    scope: ActionScope = ActionScope.TABLE_AND_DEFAULT


@dataclass(frozen=True, slots=True)
class Match:
    """What one key field of an entry matches: `mask` for ternary and lpm, `high` for range; both inclusive."""

    value: int
    mask: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A table entry: `action` is an index of `TableInfo.actions`; the lower `priority` wins among ternary ones."""

    matches: tuple[Match, ...]
    action: int
    arguments: tuple[int, ...] = ()
    priority: int = 0


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A match-action table; `default` has no matches."""

    name: str
    keys: tuple[Key, ...]
    actions: tuple[Action, ...]
    size: int
    default: Entry
    const_default: bool = False
    const_entries: tuple[Entry, ...] | None = None
    direct_counter: Counts | None = None
    idle_timeout: bool = False
    direct_counter_name: str | None = None
    """Its name, for P4Runtime, where a direct counter is an object of its own."""


@dataclass(frozen=True, slots=True)
class CounterInfo:
    """An indirect counter; counts wrap at `width` bits."""

    name: str
    size: int
    counts: Counts
    width: int


@dataclass(frozen=True, slots=True)
class RegisterInfo:
    """A register array; a simple one has the single member `f1`."""

    name: str
    size: int
    members: tuple[Field, ...]
    initial: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DigestInfo:
    """A learn filter."""

    name: str
    members: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    """All that a program shows of itself; each tuple is in source order."""

    tables: tuple[TableInfo, ...]
    counters: tuple[CounterInfo, ...]
    registers: tuple[RegisterInfo, ...]
    digests: tuple[DigestInfo, ...]
