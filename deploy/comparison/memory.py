"""Memory of processes, of eBPF maps and of the kernel, in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_KIB = 1024
_FIELD = r"^{}:\s+(\d+)"
_SMAPS = re.compile(r"^(?:([0-9a-f]+-[0-9a-f]+ .*)|Pss:\s+(\d+) kB)$", re.M)
"""A range of addresses, with the name of what is mapped there at its end; its proportional set size."""
_MAPPED_MAP = "anon_inode:bpf-map"
_SESSION = 3
"""The column of /proc/PID/stat behind the command's name and in brackets (proc(5): field 6)."""


def processes(session: int) -> list[int]:
    """The pids of a session, such as a server's master and its workers."""
    return [pid for pid in _pids() if _session(pid) == session]


def process_memory(pids: Iterable[int]) -> int:
    """The proportional set sizes, without eBPF maps: pages that several processes share count once."""
    return sum(proportional_set_size((_PROC / str(pid) / "smaps").read_text()) for pid in pids)


def proportional_set_size(smaps: str) -> int:
    """Of the text of /proc/PID/smaps, without the eBPF maps that the process has mapped: `map_memory` counts those."""
    size, counts = 0, True
    for range_name, pss in _SMAPS.findall(smaps):
        if range_name:
            counts = not range_name.endswith(_MAPPED_MAP)
        elif counts:
            size += int(pss)
    return size * _KIB


def map_memory(pids: Iterable[int]) -> int:
    """What the eBPF maps use that the processes have open, each map once."""
    maps = {}
    for pid in pids:
        for text in _descriptors(pid):
            if "map_id:" in text:
                maps[field(text, "map_id")] = field(text, "memlock")
    return sum(maps.values())


def kernel_memory() -> int:
    """The slab of the whole machine, in which sockets are, and the elements of maps that grow."""
    return field((_PROC / "meminfo").read_text(), "Slab") * _KIB


def field(text: str, name: str) -> int:
    """The number behind `name:` at the beginning of a line; raises ValueError if there is none."""
    found = re.search(_FIELD.format(re.escape(name)), text, re.M)
    if not found:
        raise ValueError(f"there is no {name} in {text[:60]!r}")
    return int(found[1])


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _session(pid: int) -> int | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[_SESSION])


def _descriptors(pid: int) -> Iterator[str]:
    for path in (_PROC / str(pid) / "fdinfo").iterdir():
        try:
            yield path.read_text()
        except FileNotFoundError:
            # Closed in between.
            continue
