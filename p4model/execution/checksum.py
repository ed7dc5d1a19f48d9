"""The Internet checksum (RFC 1071) of fields: ones' complement sums of 16-bit words."""

from __future__ import annotations

from collections.abc import Sequence

from p4model.execution.places import Scalar
from p4model.execution.source import Source
from p4model.language.semantics.types import width

WORD = 16
ONES = 0xFFFF


def complement(total: str) -> str:
    """A Python expression for the checksum of a sum that a Python name has."""
    return f"{ONES} - (({total} - 1) % {ONES} + 1 if {total} else 0)"


def of_fields(source: Source, parts: Sequence[Scalar]) -> str:
    """The Python name of the checksum of the words that fields make up, as `sum_of` adds them."""
    total, result = source.name("total"), source.name("checksum")
    source.line(f"{total} = {sum_of(parts)}")
    source.line(f"{result} = {complement(total)}")
    return result


def of_bytes(data: bytes) -> int:
    """The checksum of bytes; an odd number of them is completed with a zero (RFC 1071)."""
    total = int.from_bytes(data) << 8 * (len(data) % 2)
    return ONES - ((total - 1) % ONES + 1 if total else 0)


def sum_of(parts: Sequence[Scalar]) -> str:
    """A Python expression for the sum of the words that fields make up, one behind the other, zeros behind the last.

    Those of invalid headers count as zero. 2^16 is 1 modulo 0xFFFF, so a field counts with its value, shifted to where
    it ends within a word.
    """
    by_shift: dict[int, list[str]] = {}
    position = 0
    for part in parts:
        position += width(part.type)
        value = part.code if part.valid is None else f"({part.code} if {part.valid} else 0)"
        by_shift.setdefault(-position % WORD, []).append(value)
    terms = [
        f"({' + '.join(values)} << {shift})" if shift else " + ".join(values) for shift, values in by_shift.items()
    ]
    return " + ".join(terms) or "0"
