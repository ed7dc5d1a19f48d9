"""The kinds of objects in BfRt's ids."""

from __future__ import annotations

from enum import IntEnum


class Prefix(IntEnum):
    """The top byte of an id."""

    ACTION = 0x01
    TABLE = 0x02
    COUNTER = 0x83
    REGISTER = 0x8B
    DIGEST = 0x8E
