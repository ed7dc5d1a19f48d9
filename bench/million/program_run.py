"""The eBPF program on packets of our own, by BPF_PROG_TEST_RUN, and what the kernel says of the maps beside it.

All of it is found among this process's own descriptors, so that it takes nothing but an open fast path.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from pathlib import Path

from fastpath.ebpf.libbpf import BpfError, library

REDIRECT = 7
"""TC_ACT_REDIRECT: the packet leaves, or goes to the slow path."""
_SKB_LENGTH, _IFINDEX_OFFSET = 192, 40
"""struct __sk_buff."""
_INFO_LENGTH, _NAME = 256, slice(64, 80)
"""struct bpf_prog_info."""
_ROOM = 2048
_DESCRIPTORS, _DESCRIPTIONS = Path("/proc/self/fd"), Path("/proc/self/fdinfo")


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


class ProgramRun:
    """The loaded program called `name`, for packets that arrive on the interface `ifindex`."""

    def __init__(self, name: str, ifindex: int) -> None:
        """Raises LookupError if this process has no such program."""
        self._program = next((fd for fd in _of_kind("bpf-prog") if _name(fd) == name), -1)
        if self._program < 0:
            raise LookupError(f"this process has no BPF program {name}")
        self._context = bytearray(_SKB_LENGTH)
        self._context[_IFINDEX_OFFSET : _IFINDEX_OFFSET + 4] = ifindex.to_bytes(4, "little")
        self._out = ctypes.create_string_buffer(_ROOM)
        self._call = library().dll.bpf_prog_test_run_opts

    def __call__(self, frame: bytes) -> tuple[int, int]:
        """What the program returns for `frame`, and how long it took in nanoseconds; raises BpfError."""
        context = bytes(self._context)
        options = _Options(
            size=ctypes.sizeof(_Options),
            data_in=frame,
            data_size_in=len(frame),
            data_out=ctypes.addressof(self._out),
            data_size_out=len(self._out),
            context_in=context,
            context_size_in=len(context),
        )
        result = self._call(self._program, ctypes.byref(options))
        if result < 0:
            raise BpfError(-result, f"BPF_PROG_TEST_RUN of a frame of {len(frame)} bytes")
        return options.result, options.duration


def map_memory() -> int:
    """Bytes that the kernel charges for all BPF maps that this process has open."""
    found: dict[str, int] = {}
    for fd in _of_kind("bpf-map"):
        lines = (_DESCRIPTIONS / str(fd)).read_text().splitlines()
        told = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        # A map may have several descriptors.
        found[told["map_id"]] = int(told["memlock"])
    return sum(found.values())


def _of_kind(kind: str) -> Iterator[int]:
    for link in _DESCRIPTORS.iterdir():
        # One of them is that of the directory itself, and gone.
        if link.is_symlink() and str(link.readlink()) == f"anon_inode:{kind}":
            yield int(link.name)


def _name(program: int) -> str:
    info, length = ctypes.create_string_buffer(_INFO_LENGTH), ctypes.c_uint32(_INFO_LENGTH)
    if library().dll.bpf_obj_get_info_by_fd(program, info, ctypes.byref(length)) < 0:
        raise BpfError(errno.EINVAL, "bpf_obj_get_info_by_fd")
    return info.raw[_NAME].split(b"\0")[0].decode()
