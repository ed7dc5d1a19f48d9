"""Sequence-number and timestamp arithmetic modulo 2^32 (RFC 9293 section 3.4, RFC 7323 section 5.2)."""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000


def add(number: int, delta: int) -> int:
    """`number + delta` modulo 2^32; `delta` may be negative."""
    return (number + delta) & MASK


def difference(a: int, b: int) -> int:
    """`a - b` as a signed number, -2^31 .. 2^31 - 1."""
    return ((a - b + _HALF) & MASK) - _HALF


def before(a: int, b: int) -> bool:
    """Whether `a` comes strictly before `b`."""
    return ((a - b) & MASK) >= _HALF


def after(a: int, b: int) -> bool:
    """Whether `a` comes strictly after `b`."""
    return before(b, a)
