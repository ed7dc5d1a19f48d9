"""Paths: what all splices of one VIP and one server have in common, as a number in each record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastpath.ebpf import layout
from fastpath.ebpf.hashing import TupleHash
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.errors import TableFull
from slowpath.wire.endpoint import Endpoint


@dataclass(slots=True, eq=False)
class Path:
    """From a VIP to a server; traffic counts for the server's `server_id`."""

    number: int
    vip: Endpoint
    server: Endpoint
    server_id: int
    to_vip: int
    from_server: int
    """The parts of the VIP as a destination, and of the server as a source, in the hash of tuples."""
    users: int = 0
    """Records that have it."""
    unused_since: int = 0
    """Where there are none, since when or since when it has been wanted, in nanoseconds."""


class Paths:
    """The paths in use, and those that were, until their numbers are needed.

    `write` puts one into l7lb_paths, after `retire` was told that its number stands for another one no more.
    """

    def __init__(
        self,
        hashing: TupleHash,
        write: Callable[[int, bytes], None],
        retire: Callable[[int], None],
        capacity: int = layout.MAX_PATHS,
    ) -> None:
        self._hashing, self._write, self._retire, self._capacity = hashing, write, retire, capacity
        self._paths: dict[tuple[Endpoint, Endpoint, int], Path] = {}
        self._by_number: list[Path] = []
        self.servers: set[int] = set()
        """The ids of all servers that a path has ever led to."""

    def __getitem__(self, number: int) -> Path:
        return self._by_number[number]

    def wanted(self, vip: Endpoint, server: Endpoint, server_id: int, now: int) -> Path:
        """The path, made if there is none yet; raises TableFull. Whoever puts it into a record counts in `users`."""
        path = self._paths.get((vip, server, server_id))
        if path is None:
            path = self._make(vip, server, server_id, now)
        if not path.users:
            path.unused_since = now
        return path

    def find(self, vip: Endpoint, server: Endpoint, server_id: int) -> Path | None:
        """The path, if it is there."""
        return self._paths.get((vip, server, server_id))

    def release(self, number: int, now: int) -> None:
        """One record less has it."""
        path = self._by_number[number]
        path.users -= 1
        if not path.users:
            path.unused_since = now

    def _make(self, vip: Endpoint, server: Endpoint, server_id: int, now: int) -> Path:
        number = len(self._by_number)
        if number >= self._capacity:
            number = self._spare(now)
            self._retire(number)
        hashing = self._hashing
        path = Path(number, vip, server, server_id, hashing.destination(*vip), hashing.source(*server))
        self._write(number, layout.path(vip, server, server_id))
        if number < len(self._by_number):
            old = self._by_number[number]
            del self._paths[old.vip, old.server, old.server_id]
            self._by_number[number] = path
        else:
            self._by_number.append(path)
        self._paths[vip, server, server_id] = path
        self.servers.add(server_id)
        return path

    def _spare(self, now: int) -> int:
        """The number of a path that no record has had for GRACE."""
        for path in self._by_number:
            if not path.users and now - path.unused_since >= GRACE:
                return path.number
        raise TableFull(f"all {self._capacity} paths are taken: too many pairs of VIP and server")
