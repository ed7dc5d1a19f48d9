"""Which laboratories exist on this machine, so that a later run clears away what a killed one left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.laboratory.namespace import LaboratoryError, sh

DIRECTORY = Path("/run/l7lb-laboratory")
_NAMESPACES = Path("/run/netns")
_GRACE = 5.0
"""Seconds that processes have to end before they are killed."""


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None if there is none. Tells a reused pid from the first."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[19]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one laboratory made and who owns it."""

    name: str
    pid: int
    started: str
    namespaces: tuple[str, ...]
    directories: tuple[str, ...]
    """Working files and pinned maps, removed with the laboratory."""

    @property
    def path(self) -> Path:
        """Where the entry is kept."""
        return DIRECTORY / f"{self.name}.json"

    def write(self) -> None:
        """Keep the entry; call before anything that it names is made."""
        DIRECTORY.mkdir(mode=0o700, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(self.path)

    def clear(self) -> None:
        """Remove everything that the entry names, then the entry."""
        present = [name for name in self.namespaces if (_NAMESPACES / name).exists()]
        _end_processes(present)
        for name in present:
            sh(["ip", "netns", "delete", name])
        for directory in self.directories:
            shutil.rmtree(directory, ignore_errors=True)
        self.path.unlink(missing_ok=True)


def sweep() -> list[str]:
    """Clear away every laboratory whose owner has died; returns their names."""
    cleared = []
    for path in sorted(DIRECTORY.glob("*.json")):
        try:
            entry = Entry(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            raise LaboratoryError(
                f"{path} is not a laboratory's entry: remove what it names by hand, then the file"
            ) from None
        if start_time(entry.pid) != entry.started:
            entry.clear()
            cleared.append(entry.name)
    return cleared


def _end_processes(namespaces: list[str]) -> None:
    """End every process in namespaces that are ours alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _inside(namespaces):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + _GRACE
        while _inside(namespaces) and time.monotonic() < deadline:
            time.sleep(0.02)


def _inside(namespaces: list[str]) -> set[int]:
    pids = {int(pid) for name in namespaces for pid in sh(["ip", "netns", "pids", name]).split()}
    return {pid for pid in pids if not _is_zombie(pid)}


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
