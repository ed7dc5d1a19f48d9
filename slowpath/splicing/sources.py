"""Which address and port a server sees as its client."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from slowpath.wire.endpoint import Endpoint

FIRST_PORT, LAST_PORT = 1024, 65535


class Sources(Protocol):
    """Hands out what servers see as their client's endpoint."""

    def take(self, client: Endpoint) -> Endpoint | None:
        """The source for a connection of `client`; None when there is none left."""

    def give_back(self, source: Endpoint) -> None:
        """The connection is over and its record gone."""


class Transparent:
    """Servers see the client itself."""

    def take(self, client: Endpoint) -> Endpoint:
        """The client."""
        return client

    def give_back(self, source: Endpoint) -> None:
        """There is nothing to give back."""


class Snat:
    """Servers see one of our addresses; the one given back longest ago is reused first, to let TIME-WAIT pass.

    An address and port serve one connection at a time whatever its server, so that targets can
    index their records by them.
    """

    def __init__(self, addresses: Sequence[bytes]) -> None:
        self._fresh = (Endpoint(address, port) for port in range(FIRST_PORT, LAST_PORT + 1) for address in addresses)
        self._used: deque[Endpoint] = deque()

    def take(self, client: Endpoint) -> Endpoint | None:
        """A free address and port."""
        return next(self._fresh, None) or (self._used.popleft() if self._used else None)

    def give_back(self, source: Endpoint) -> None:
        """Free `source`."""
        self._used.append(source)
