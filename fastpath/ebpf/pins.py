"""The directory on bpffs where the maps of one fast path are pinned."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from fastpath.ebpf.libbpf import Map
from fastpath.errors import Unavailable

BPFFS = Path("/sys/fs/bpf")
"""Where bpffs is mounted by convention, and by us if it is not."""


class Pins:
    """Pins under `directory`, which belongs to one fast path alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self, maps: Iterable[Map]) -> None:
        """Pin `maps` by their names in place of what is there; raises Unavailable."""
        if self._directory.is_relative_to(BPFFS) and not BPFFS.is_mount():
            _mount_bpffs()
        self.remove()
        try:
            self._directory.mkdir(parents=True)
            for one in maps:
                one.pin(self._directory / one.name)
        except OSError as error:
            raise Unavailable(f"cannot pin maps in {self._directory}: {error}; is it on a bpffs?") from error

    def remove(self) -> None:
        """Remove the pins, if there are any."""
        if self._directory.is_dir():
            for pin in self._directory.iterdir():
                pin.unlink()
            self._directory.rmdir()


def _mount_bpffs() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bpf", os.fsencode(BPFFS), b"bpf", 0, None):
        reason = os.strerror(ctypes.get_errno())
        raise Unavailable(f"cannot mount bpffs at {BPFFS}: {reason}; try `mount -t bpf bpf {BPFFS}`")
