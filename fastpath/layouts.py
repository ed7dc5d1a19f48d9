"""The layouts of TCP options that a switch's parser recognises: those that Linux emits."""

from __future__ import annotations

from enum import Enum, auto

from slowpath.wire.options import NOP, SACK, TIMESTAMPS

_WORD = 4


class Recognition(Enum):
    """What a parser makes of the options of a TCP header."""

    KNOWN = auto()
    UNKNOWN = auto()
    CUT_SHORT = auto()
    """The frame ends within what has to be read to tell."""


_Piece = tuple[bytes, int]
"""An option behind two no-operation options: its first word, and its length in bytes with them."""

_TIMESTAMPS: _Piece = (bytes((NOP, NOP, TIMESTAMPS, 10)), 12)
_SACKS: tuple[_Piece, ...] = tuple((bytes((NOP, NOP, SACK, 2 + 8 * blocks)), 4 + 8 * blocks) for blocks in range(1, 5))

_LAYOUTS: tuple[tuple[_Piece, ...], ...] = (
    (),
    (_TIMESTAMPS,),
    *((sack,) for sack in _SACKS),
    *((_TIMESTAMPS, sack) for sack in _SACKS[:3]),
)
"""Those of one length differ in their first word."""


def recognise(length: int, data: bytes) -> Recognition:
    """Read the options that `data` begins with, `length` bytes by the data offset; the frame ends where `data` does.

    The first word of an option is read to recognise it, then all of it; of a `length` that no layout
    has, the first word alone. A negative `length`, which is malformed, has no options.
    """
    if length <= 0:
        return Recognition.KNOWN
    offset = 0
    layouts = [layout for layout in _LAYOUTS if sum(size for _, size in layout) == length]
    while offset < length:
        if len(data) < offset + _WORD:
            return Recognition.CUT_SHORT
        word = data[offset : offset + _WORD]
        layouts = [layout for layout in layouts if layout[0][0] == word]
        if not layouts:
            return Recognition.UNKNOWN
        offset += layouts[0][0][1]
        if len(data) < offset:
            return Recognition.CUT_SHORT
        layouts = [layout[1:] for layout in layouts]
    return Recognition.KNOWN
