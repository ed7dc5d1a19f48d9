"""Values of keys and data as callers give and get them: integers in host form, never bytes."""

from __future__ import annotations

from collections.abc import Sequence
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


KeyValue = int | str | Ternary | Prefix | Range | None
"""By the field's kind of match: int (str for text fields), Ternary, Prefix, Range; int or None (any) for optional."""

DataValue = int | bool | str | float | Sequence[int] | Sequence[bool] | Sequence[str]
"""By the field's type: int for bytes and unsigned integers, else as named; a sequence for repeated fields."""
