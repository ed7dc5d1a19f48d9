"""Sizes of responses as people write them: 1k, 300k, 10M, in decimal units."""

from __future__ import annotations

import re
from operator import itemgetter

_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}
_WRITTEN = re.compile(r"([1-9][0-9]*)([kM]?)B?")
LARGEST = 100_000_000
"""Bytes; the servers' files are kept in memory while they are made."""


def parse(text: str) -> tuple[int, ...]:
    """Bytes from a list such as `1k,30k,1M`, in ascending order, each once; raises ValueError naming what is wrong."""
    return tuple(sorted({_parse_one(word.strip()) for word in text.split(",")}))


def _parse_one(word: str) -> int:
    written = _WRITTEN.fullmatch(word)
    if not written:
        raise ValueError(f"{word!r} is not a size: write a number of bytes such as 1k, 300k or 10M")
    octets = int(written[1]) * _UNITS[written[2]]
    if octets > LARGEST:
        raise ValueError(f"{word} is too large: a response has at most {label(LARGEST)}")
    return octets


def label(octets: int) -> str:
    """A size in the largest unit that divides it: `30 kB`."""
    unit, factor = max((item for item in _UNITS.items() if octets % item[1] == 0), key=itemgetter(1))
    return f"{octets // factor} {unit}B"
