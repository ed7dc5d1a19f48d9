"""Finding the entry that a packet matches: by hash, by longest prefix, or by priority."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from p4model.objects import Key, MatchKind
from p4model.state.record import EntryKey, Record, has_priorities

_REMEMBERED = 4096
"""Results of priority searches that are kept."""


class Matcher(Protocol):
    """The entries of one table, in the way that its kinds of match need."""

    entries: dict[EntryKey, Record]
    find: Callable[[tuple[int, ...], Record], Record]
    """From the values of a packet and what to give when nothing matches."""

    def add(self, key: EntryKey, record: Record) -> None:
        """Add an entry, or replace the one of that key."""

    def remove(self, key: EntryKey) -> None:
        """Remove an entry that is there."""

    def clear(self) -> None:
        """Remove all entries."""


class ExactMatcher:
    """Every field is exact: the values of a packet are the key."""

    def __init__(self) -> None:
        self.entries: dict[EntryKey, Record] = {}
        self.find: Callable[[tuple[int, ...], Record], Record] = self.entries.get
        self.add = self.entries.__setitem__
        self.remove = self.entries.__delitem__
        self.clear = self.entries.clear


class PrefixMatcher:
    """One field is lpm, the others are exact: one look per prefix length in use, longest first."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.entries: dict[EntryKey, Record] = {}
        self._position = next(index for index, key in enumerate(keys) if key.kind is MatchKind.LPM)
        self._used: Counter[int] = Counter()
        self._masks: list[int] = []
        self.find: Callable[[tuple[int, ...], Record], Record] = self._find

    def add(self, key: EntryKey, record: Record) -> None:
        """Add an entry, or replace the one of that key."""
        if key not in self.entries:
            self._count(key, 1)
        self.entries[key] = record

    def remove(self, key: EntryKey) -> None:
        """Remove an entry that is there."""
        del self.entries[key]
        self._count(key, -1)

    def clear(self) -> None:
        """Remove all entries."""
        self.entries.clear()
        self._used.clear()
        self._masks.clear()

    def _count(self, key: EntryKey, difference: int) -> None:
        self._used[key[self._position + 1]] += difference
        self._masks = sorted((+self._used).keys(), reverse=True)

    def _find(self, values: tuple[int, ...], default: Record) -> Record:
        before, value, after = values[: self._position], values[self._position], values[self._position + 1 :]
        for mask in self._masks:
            record = self.entries.get((*before, value & mask, mask, *after))
            if record is not None:
                return record
        return default


@dataclass(slots=True, order=True)
class _Candidate:
    priority: int
    sequence: int
    masked: tuple[tuple[int, int, int], ...] = field(compare=False)
    """(index of the field, mask, value) where the mask is not 0."""
    ranges: tuple[tuple[int, int, int], ...] = field(compare=False)
    """(index of the field, low, high), both inclusive."""
    record: Record = field(compare=False)

    def matches(self, values: tuple[int, ...]) -> bool:
        """Whether a packet with these values matches."""
        return all(values[index] & mask == value for index, mask, value in self.masked) and all(
            low <= values[index] <= high for index, low, high in self.ranges
        )


class PriorityMatcher:
    """Some field is ternary or a range: the lowest priority wins, among equal ones the oldest entry."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.entries: dict[EntryKey, Record] = {}
        self._keys = keys
        self._candidates: list[_Candidate] = []
        self._by_key: dict[EntryKey, _Candidate] = {}
        self._next = 0
        self._found: dict[tuple[int, ...], Record] = {}
        self.find: Callable[[tuple[int, ...], Record], Record] = self._find

    def add(self, key: EntryKey, record: Record) -> None:
        """Add an entry, or replace the one of that key."""
        self._found.clear()
        self.entries[key] = record
        known = self._by_key.get(key)
        if known is not None:
            known.record = record
            return
        candidate = self._candidate(key, record)
        self._by_key[key] = candidate
        insort(self._candidates, candidate)

    def remove(self, key: EntryKey) -> None:
        """Remove an entry that is there."""
        self._found.clear()
        del self.entries[key]
        self._candidates.remove(self._by_key.pop(key))

    def clear(self) -> None:
        """Remove all entries."""
        for held in (self._found, self.entries, self._candidates, self._by_key):
            held.clear()

    def _candidate(self, key: EntryKey, record: Record) -> _Candidate:
        masked, ranges = [], []
        flat = iter(key)
        for index, field_ in enumerate(self._keys):
            match field_.kind:
                case MatchKind.EXACT:
                    masked.append((index, (1 << field_.width) - 1, next(flat)))
                case MatchKind.RANGE:
                    ranges.append((index, next(flat), next(flat)))
                case _:
                    value, mask = next(flat), next(flat)
                    if mask:
                        masked.append((index, mask, value))
        self._next += 1
        return _Candidate(next(flat), self._next, tuple(masked), tuple(ranges), record)

    def _find(self, values: tuple[int, ...], default: Record) -> Record:
        found = self._found.get(values)
        if found is not None:
            return found
        for candidate in self._candidates:
            if candidate.matches(values):
                break
        else:
            return default
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[values] = candidate.record
        return candidate.record


def matcher_for(keys: tuple[Key, ...]) -> Matcher:
    """What finds entries of a table with these key fields."""
    if has_priorities(keys):
        return PriorityMatcher(keys)
    if any(key.kind is MatchKind.LPM for key in keys):
        return PrefixMatcher(keys)
    return ExactMatcher()
