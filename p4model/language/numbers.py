"""Number literals (P4_16 section 6.4.3.2)."""

from __future__ import annotations

import re

from p4model.language.errors import P4Error, Position

_LITERAL = re.compile(r"(?:(\d+)([ws]))?(0[xX]|0[bB]|0[oO]|0[dD])?([0-9a-fA-F_]+)")
_BASES = {"0x": 16, "0b": 2, "0o": 8, "0d": 10}


def parse_number(position: Position, text: str) -> tuple[int, int | None]:
    """The value of a literal and its width in bits, None for one of arbitrary precision.

    Raises P4Error for signed literals and for values that do not fit.
    """
    match = _LITERAL.fullmatch(text)
    if match is None:
        raise P4Error(position, f"{text} is no number")
    width, sign, base, digits = match.groups()
    value = int(digits.replace("_", ""), _BASES[base.lower()] if base else 10)
    if sign == "s":
        raise P4Error(position, f"{text}: signed integers are not supported; bit<N> is")
    if width is None:
        return value, None
    if value >> int(width):
        raise P4Error(position, f"{text}: {value} does not fit in {width} bits")
    return value, int(width)
