"""Paths: what all records of one VIP and one server have in common, as a number in each record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastpath.errors import TableFull
from slowpath.wire.endpoint import Endpoint


class Path(NamedTuple):
    """From a VIP to a server; traffic counts for the server's `server_id`."""

    vip: Endpoint
    server: Endpoint
    server_id: int


class Paths:
    """The paths in use, each with a number from 0 to `capacity` - 1.

    One that no record uses any more keeps its number, and what it has counted, until `free`.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._numbers: dict[Path, int] = {}
        self._records: dict[Path, int] = {}
        self._free: list[int] = []

    def __iter__(self) -> Iterator[tuple[Path, int]]:
        return iter(self._numbers.items())

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, path: Path) -> int:
        """The number of `path`, which gets one if it has none; raises TableFull."""
        number = self._numbers.get(path)
        if number is None:
            if not self._free and len(self._numbers) >= self.capacity:
                raise TableFull(f"all {self.capacity} paths are taken: too many pairs of VIP and server")
            number = self._numbers[path] = self._free.pop() if self._free else len(self._numbers)
            self._records[path] = 0
        return number

    def hold(self, path: Path) -> None:
        """One record more uses `path`."""
        self._records[path] += 1

    def release(self, path: Path) -> None:
        """One record less uses `path`."""
        self._records[path] -= 1

    def unused(self) -> list[Path]:
        """The paths that no record uses."""
        return [path for path, records in self._records.items() if not records]

    def free(self, path: Path) -> None:
        """Give the number of an unused path away."""
        if self._records.pop(path):
            raise ValueError(f"{path} is in use")
        self._free.append(self._numbers.pop(path))
