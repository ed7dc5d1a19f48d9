"""Classic BPF programs, which choose the packets that a socket receives (linux/filter.h)."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

LOAD_BYTE, LOAD_HALF, JUMP_EQUAL, RETURN = 0x30, 0x28, 0x15, 0x06
"""Load what is at the constant; jump if the value loaded last equals the constant; accept so many bytes, 0 for none."""
PACKET_TYPE, VLAN_TAG_PRESENT = 0xFFFF_F000 + 4, 0xFFFF_F000 + 48
"""Where `LOAD_BYTE` finds what the kernel knows of a packet (SKF_AD_OFF + SKF_AD_...)."""
WHOLE = 0xFFFF_FFFF
"""More bytes than any packet has."""

_SO_ATTACH_FILTER = 26
_SOCK_FILTER = struct.Struct("=HBBI")


class Instruction(NamedTuple):
    """struct sock_filter: how many instructions to pass over after a comparison that holds, or does not."""

    code: int
    if_true: int
    if_false: int
    constant: int


def attach(receiver: socket.socket, program: Sequence[Instruction]) -> None:
    """Have `receiver` get what `program` accepts, from now on. Raises OSError for a program that is none."""
    words = b"".join(_SOCK_FILTER.pack(*instruction) for instruction in program)
    code = ctypes.create_string_buffer(words, len(words))
    # struct sock_fprog: the number of instructions and, aligned, where they are.
    argument = struct.pack("@HP", len(program), ctypes.addressof(code))
    receiver.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, argument)
