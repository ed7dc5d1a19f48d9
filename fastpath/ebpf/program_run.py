"""Running a loaded program on a packet of one's own (BPF_PROG_TEST_RUN), for tests and measurements."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import BpfError, library

_SKB_LENGTH, _IFINDEX_OFFSET, _GSO_SIZE_OFFSET = 192, 40, 176
"""struct __sk_buff."""
_ROOM = 2048
"""Bytes by which a program may make a packet longer."""


class _Options(ctypes.Structure):
    """struct bpf_test_run_opts of libbpf."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("data_in", ctypes.c_char_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("context_in", ctypes.c_char_p),
        ("context_out", ctypes.c_void_p),
        ("context_size_in", ctypes.c_uint32),
        ("context_size_out", ctypes.c_uint32),
        ("result", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


class Ran(NamedTuple):
    """What a program did with a frame."""

    result: int
    """What it returned, an unsigned number of 32 bits."""
    frame: bytes
    """What it made of the frame."""
    nanoseconds: int


def run(program: int, ifindex: int, frame: bytes, segment: int = 0) -> Ran:
    """Run the tc program with the descriptor `program` on a frame that arrives on an interface; raises BpfError.

    The frame is a super-packet if `segment` is not 0, but the bytes of payload in each of its segments.
    """
    context = bytearray(_SKB_LENGTH)
    context[_IFINDEX_OFFSET : _IFINDEX_OFFSET + 4] = layout.number(ifindex)
    context[_GSO_SIZE_OFFSET : _GSO_SIZE_OFFSET + 4] = layout.number(segment)
    out = ctypes.create_string_buffer(len(frame) + _ROOM)
    options = _Options(
        size=ctypes.sizeof(_Options),
        data_in=frame,
        data_size_in=len(frame),
        data_out=ctypes.addressof(out),
        data_size_out=len(out),
        context_in=bytes(context),
        context_size_in=len(context),
    )
    result = library().dll.bpf_prog_test_run_opts(program, ctypes.byref(options))
    if result < 0:
        raise BpfError(-result, f"BPF_PROG_TEST_RUN of a frame of {len(frame)} bytes")
    return Ran(options.result, out.raw[: options.data_size_out], options.duration)
