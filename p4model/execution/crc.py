"""Cyclic redundancy checks of 1 to 64 bits, after the Rocksoft model."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

_BYTE = 8


@dataclass(frozen=True, slots=True)
class Parameters:
    """A CRC: `polynomial` is without its highest bit, `reflected` is of input and output."""

    width: int
    polynomial: int
    reflected: bool
    initial: int
    final_xor: int


CRC8 = Parameters(8, 0x07, reflected=False, initial=0, final_xor=0)
CRC16 = Parameters(16, 0x8005, reflected=True, initial=0, final_xor=0)
CRC32 = Parameters(32, 0x04C11DB7, reflected=True, initial=0xFFFFFFFF, final_xor=0xFFFFFFFF)
CRC64 = Parameters(64, 0x42F0E1EBA9EA3693, reflected=False, initial=0, final_xor=0)


def function(parameters: Parameters) -> Callable[[bytes], int]:
    """The CRC of bytes as a function."""
    return zlib.crc32 if parameters == CRC32 else tabled(parameters)


def tabled(parameters: Parameters) -> Callable[[bytes], int]:
    """The CRC of bytes, eight bits a step."""
    table = [_of_byte(parameters, value) for value in range(256)]
    top = max(parameters.width - _BYTE, 0)
    ones = (1 << parameters.width) - 1

    def reflected(data: bytes) -> int:
        remainder = initial
        for byte in data:
            remainder = remainder >> _BYTE ^ table[(remainder ^ byte) & 0xFF]
        return remainder ^ parameters.final_xor

    def plain(data: bytes) -> int:
        remainder = initial
        for byte in data:
            remainder = remainder << _BYTE & ones ^ table[remainder >> top ^ byte]
        return remainder ^ parameters.final_xor

    initial = reverse(parameters.initial, parameters.width) if parameters.reflected else parameters.initial
    return reflected if parameters.reflected else plain


def _of_byte(parameters: Parameters, value: int) -> int:
    """The remainder of one byte in front of nothing."""
    width = parameters.width
    if parameters.reflected:
        polynomial = reverse(parameters.polynomial, width)
        for _ in range(_BYTE):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        return value
    remainder = value << width - _BYTE
    for _ in range(_BYTE):
        remainder = remainder << 1 ^ (parameters.polynomial if remainder >> width - 1 & 1 else 0)
        remainder &= (1 << width) - 1
    return remainder


def reverse(value: int, width: int) -> int:
    """`value` with its `width` bits in reverse order."""
    return int(f"{value:0{width}b}"[::-1], 2)
