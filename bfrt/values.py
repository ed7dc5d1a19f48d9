"""Values of data as callers give and get them; those of keys are rpc.values'."""

from __future__ import annotations

from collections.abc import Sequence

DataValue = int | bool | str | float | Sequence[int] | Sequence[bool] | Sequence[str]
"""By the field's type: int for bytes and unsigned integers, else as named; a sequence for repeated fields."""
