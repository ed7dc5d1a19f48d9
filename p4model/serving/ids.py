"""Object ids as compilers give them: a prefix for the kind of object, and a hash of its name."""

from __future__ import annotations

from collections.abc import Iterable

_LOW = (1 << 24) - 1


def one_at_a_time(name: str) -> int:
    """Bob Jenkins' one-at-a-time hash of the UTF-8 bytes of a name, 32 bits."""
    value = 0
    for byte in name.encode():
        value = (value + byte) & 0xFFFFFFFF
        value = (value + (value << 10)) & 0xFFFFFFFF
        value ^= value >> 6
    value = (value + (value << 3)) & 0xFFFFFFFF
    value ^= value >> 11
    return (value + (value << 15)) & 0xFFFFFFFF


def assign(prefix: int, names: Iterable[str]) -> dict[str, int]:
    """Ids by name: `prefix` in the top byte, then the low 24 bits of the hash or the next that are free.

    Names are taken in sorted order.
    """
    ids: dict[str, int] = {}
    taken: set[int] = set()
    for name in sorted(set(names)):
        low = one_at_a_time(name) & _LOW
        while low in taken:
            low = (low + 1) & _LOW
        taken.add(low)
        ids[name] = prefix << 24 | low
    return ids
