"""What a table remembers of one entry, and the form of its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from p4model.objects import Entry, Key, MatchKind

EntryKey: TypeAlias = tuple[int, ...]
"""The key of an entry: one integer for each exact field, two for each other one (value and mask of ternary and lpm,
low and high of range), then the priority if the table has priorities. For exact tables it is what packets look up."""

Result: TypeAlias = tuple[bool, int, tuple[int, ...]]
"""What a lookup gives: whether an entry was hit, the index of its action in `TableInfo.actions`, the arguments."""


@dataclass(slots=True)
class Record:
    """An entry: what it does, and what packets have left behind."""

    result: Result
    packets: int = 0
    octets: int = 0
    counted: tuple[int, int] = (0, 0)
    """Packets and bytes as of the last synchronisation."""
    hit: bool = False
    """Whether a packet has matched since the last look of the idle time-out."""
    active: bool = True
    ttl: int = 0
    """Milliseconds without a packet until the entry is idle; 0 for never."""
    remaining: int = 0

    def synchronise(self) -> None:
        """Take over what was counted."""
        self.counted = (self.packets, self.octets)

    def set_counts(self, packets: int | None, octets: int | None) -> None:
        """Set what was counted; None leaves a count as it is."""
        if packets is not None:
            self.packets = packets
        if octets is not None:
            self.octets = octets
        self.synchronise()


def has_priorities(keys: tuple[Key, ...]) -> bool:
    """Whether entries of a table with these key fields are told apart by priority."""
    return any(key.kind in (MatchKind.TERNARY, MatchKind.RANGE) for key in keys)


def entry_key(keys: tuple[Key, ...], entry: Entry) -> EntryKey:
    """The key of an entry that the program itself gives."""
    flat: list[int] = []
    for key, match in zip(keys, entry.matches, strict=True):
        ones = (1 << key.width) - 1
        match key.kind:
            case MatchKind.EXACT:
                flat.append(match.value)
            case MatchKind.RANGE:
                flat += (match.value, match.value if match.high is None else match.high)
            case MatchKind.TERNARY | MatchKind.LPM:
                mask = ones if match.mask is None else match.mask
                flat += (match.value & mask, mask)
    if has_priorities(keys):
        flat.append(entry.priority)
    return tuple(flat)
