"""Which address and port a server sees as its client."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from slowpath.wire.endpoint import Endpoint

FIRST_PORT, LAST_PORT = 1024, 65535


class Sources(Protocol):
    """Hands out what servers see as their client's endpoint."""

    def take(self, client: Endpoint, server: Endpoint) -> Endpoint | None:
        """The source for a connection of `client` to `server`, of the server's IP version; None when there is none."""

    def give_back(self, source: Endpoint) -> None:
        """The connection is over and its record gone."""


class Transparent:
    """Servers see the client itself."""

    def take(self, client: Endpoint, server: Endpoint) -> Endpoint | None:
        """The client, if both are of one IP version."""
        return client if len(client.address) == len(server.address) else None

    def give_back(self, source: Endpoint) -> None:
        """There is nothing to give back."""


class Snat:
    """Servers see one of our addresses; the one given back longest ago is reused first, to let TIME-WAIT pass.

    An address and port serve one connection at a time whatever its server, so that targets can
    index their records by them.
    """

    def __init__(self, addresses: Sequence[bytes]) -> None:
        versions = {len(address): [other for other in addresses if len(other) == len(address)] for address in addresses}
        self._pools = {length: _Pool(those) for length, those in versions.items()}

    def take(self, client: Endpoint, server: Endpoint) -> Endpoint | None:
        """A free address and port."""
        pool = self._pools.get(len(server.address))
        return pool.take() if pool is not None else None

    def give_back(self, source: Endpoint) -> None:
        """Free `source`."""
        self._pools[len(source.address)].used.append(source)


class _Pool:
    """The addresses of one IP version."""

    def __init__(self, addresses: Sequence[bytes]) -> None:
        self._addresses = addresses
        self._fresh = (LAST_PORT - FIRST_PORT + 1) * len(addresses)
        """How many have never been taken, the lowest ports first."""
        self.used: deque[Endpoint] = deque()

    def take(self) -> Endpoint | None:
        if not self._fresh:
            return self.used.popleft() if self.used else None
        addresses, from_last = self._addresses, self._fresh - 1
        self._fresh -= 1
        return Endpoint(addresses[-1 - from_last % len(addresses)], LAST_PORT - from_last // len(addresses))
