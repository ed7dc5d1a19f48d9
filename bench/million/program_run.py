"""The eBPF program on packets of our own, by BPF_PROG_TEST_RUN, and what the kernel says of the maps beside it.

All of it is found among this process's own descriptors, so that it takes nothing but an open fast path.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from pathlib import Path

from fastpath.ebpf import program_run
from fastpath.ebpf.libbpf import BpfError, library

REDIRECT = 7
"""TC_ACT_REDIRECT: the packet leaves, or goes to the slow path."""
_INFO_LENGTH, _NAME = 256, slice(64, 80)
"""struct bpf_prog_info."""
_DESCRIPTORS, _DESCRIPTIONS = Path("/proc/self/fd"), Path("/proc/self/fdinfo")


class ProgramRun:
    """The loaded program called `name`, for packets that arrive on the interface `ifindex`."""

    def __init__(self, name: str, ifindex: int) -> None:
        """Raises LookupError if this process has no such program."""
        self._program = next((fd for fd in _of_kind("bpf-prog") if _name(fd) == name), -1)
        if self._program < 0:
            raise LookupError(f"this process has no BPF program {name}")
        self._ifindex = ifindex

    def __call__(self, frame: bytes) -> tuple[int, int]:
        """What the program returns for `frame`, and how long it took in nanoseconds; raises BpfError."""
        ran = program_run.run(self._program, self._ifindex, frame)
        return ran.result, ran.nanoseconds


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
