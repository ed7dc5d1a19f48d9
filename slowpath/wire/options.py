"""TCP options: the ones a splice understands, decoded and encoded (RFC 9293 section 3.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

END: Final = 0
NOP: Final = 1
MSS: Final = 2
WINDOW_SCALE: Final = 3
SACK_PERMITTED: Final = 4
SACK: Final = 5
TIMESTAMPS: Final = 8

_MAXIMUM_SHIFT: Final = 14
"""A window scale above it is used as this (RFC 7323 section 2.3)."""

_MSS: Final = struct.Struct("!BBH")
_TIMESTAMPS: Final = struct.Struct("!BBBBII")
_U32x2: Final = struct.Struct("!II")

# What Linux emits: a SYN's options if it is offered them all, and those of other segments without SACK blocks.
_SYN: Final = struct.Struct("!HHIIII")
_ESTABLISHED: Final = struct.Struct("!III")
_SYN_BYTES: Final = 20
_ESTABLISHED_BYTES: Final = 12
_MSS_LEAD: Final = 0x0204
_SACK_TIMESTAMPS_LEAD: Final = 0x0402_080A
_SCALE_LEAD: Final = 0x01_0303
_TIMESTAMPS_LEAD: Final = 0x0101_080A


class MalformedOptions(ValueError):
    """An option's length is 0 or 1, reaches past the header, or is not the one its kind has."""


@dataclass(slots=True, init=False)
class Options:
    """What one segment's options say; None or empty where the option is absent. Nobody changes them.

    Numbers are in host form; `sack` holds (left edge, right edge) sequence numbers (RFC 2018),
    `window_scale` is a shift of 0..14 (RFC 7323), `timestamps` is (TSval, TSecr).
    """

    mss: int | None = None
    window_scale: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None
    sack: tuple[tuple[int, int], ...] = ()

    def __init__(
        self,
        mss: int | None = None,
        window_scale: int | None = None,
        sack_permitted: bool = False,
        timestamps: tuple[int, int] | None = None,
        sack: tuple[tuple[int, int], ...] = (),
    ) -> None:
        # Written out, as is Segment's: a compiled class has a fast one only so.
        self.mss = mss
        self.window_scale = window_scale
        self.sack_permitted = sack_permitted
        self.timestamps = timestamps
        self.sack = sack

    def encode(self) -> bytes:
        """The options in the layout Linux emits, padded with NOPs to a multiple of four bytes."""
        stamps, mss, scale = self.timestamps, self.mss, self.window_scale
        if stamps is not None and not self.sack:
            if mss is None and scale is None and not self.sack_permitted:
                return _ESTABLISHED.pack(_TIMESTAMPS_LEAD, stamps[0], stamps[1])
            if mss is not None and scale is not None and self.sack_permitted:
                last = _SCALE_LEAD << 8 | scale
                return _SYN.pack(_MSS_LEAD, mss, _SACK_TIMESTAMPS_LEAD, stamps[0], stamps[1], last)
        out = b""
        if self.mss is not None:
            out += _MSS.pack(MSS, 4, self.mss)
        if self.timestamps is not None:
            lead = (SACK_PERMITTED, 2) if self.sack_permitted else (NOP, NOP)
            out += _TIMESTAMPS.pack(*lead, TIMESTAMPS, 10, *self.timestamps)
        elif self.sack_permitted:
            out += bytes((NOP, NOP, SACK_PERMITTED, 2))
        if self.window_scale is not None:
            out += bytes((NOP, WINDOW_SCALE, 3, self.window_scale))
        if self.sack:
            out += bytes((NOP, NOP, SACK, 2 + 8 * len(self.sack)))
            out += b"".join(_U32x2.pack(left, right) for left, right in self.sack)
        return out


_NONE: Final = Options()
_FIXED_LENGTHS = {MSS: 4, WINDOW_SCALE: 3, SACK_PERMITTED: 2, TIMESTAMPS: 10}


def locate(area: bytes) -> list[tuple[int, int, int]]:
    """Where each option but END and NOP stands: (kind, offset of its kind byte, length in bytes).

    Unknown kinds are listed, too; raises MalformedOptions.
    """
    found = []
    offset, end = 0, len(area)
    while offset < end:
        kind = area[offset]
        if kind == END:
            break
        if kind == NOP:
            offset += 1
            continue
        length = area[offset + 1] if offset + 1 < end else 0
        if length < 2 or offset + length > end:
            raise MalformedOptions(f"option {kind} at byte {offset} has length {length} in {end} bytes")
        wrong = _FIXED_LENGTHS.get(kind, length) != length
        if wrong or (kind == SACK and (length < 10 or (length - 2) % 8)):
            raise MalformedOptions(f"option {kind} at byte {offset} has length {length}")
        found.append((kind, offset, length))
        offset += length
    return found


def decode(area: bytes) -> Options:
    """Decode the options `area` of one TCP header; raises MalformedOptions. Unknown kinds are skipped."""
    if len(area) == _ESTABLISHED_BYTES:
        lead, tsval, tsecr = _ESTABLISHED.unpack(area)
        if lead == _TIMESTAMPS_LEAD:
            return Options(timestamps=(tsval, tsecr))
    if not area:
        return _NONE
    if len(area) == _SYN_BYTES:
        lead, size, second, tsval, tsecr, last = _SYN.unpack(area)
        if lead == _MSS_LEAD and second == _SACK_TIMESTAMPS_LEAD and last >> 8 == _SCALE_LEAD:
            return Options(size, min(last & 0xFF, _MAXIMUM_SHIFT), True, (tsval, tsecr))
    mss = window_scale = timestamps = None
    sack_permitted = False
    sack: tuple[tuple[int, int], ...] = ()
    for kind, offset, length in locate(area):
        if kind == MSS:
            mss = int.from_bytes(area[offset + 2 : offset + 4], "big")
        elif kind == WINDOW_SCALE:
            window_scale = min(area[offset + 2], _MAXIMUM_SHIFT)
        elif kind == SACK_PERMITTED:
            sack_permitted = True
        elif kind == TIMESTAMPS:
            timestamps = _U32x2.unpack_from(area, offset + 2)
        elif kind == SACK:
            sack = tuple(_U32x2.iter_unpack(area[offset + 2 : offset + length]))
    return Options(mss, window_scale, sack_permitted, timestamps, sack)
