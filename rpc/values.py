"""Values of keys and counters as callers give and get them: integers in host form, never bytes."""

from __future__ import annotations

from typing import NamedTuple


class Ternary(NamedTuple):
    """Matches where `value & mask` equals the packet's field under the mask; mask 0 matches all."""

    value: int
    mask: int


class Prefix(NamedTuple):
    """A longest-prefix match of the `length` high bits of `value`."""

    value: int
    length: int


class Range(NamedTuple):
    """Matches from `low` to `high`, both included."""

    low: int
    high: int


class Count(NamedTuple):
    """What a counter counted; 0 where it does not count that."""

    packets: int
    bytes: int


KeyValue = int | str | Ternary | Prefix | Range | None
"""By the field's kind of match: int (str for text fields), Ternary, Prefix, Range; int or None (any) for optional."""
