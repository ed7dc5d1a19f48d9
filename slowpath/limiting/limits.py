"""The limits of one listener."""

from __future__ import annotations

from dataclasses import dataclass

from slowpath.limiting.rate import RateLimit
from slowpath.limiting.slots import Slot, Slots


class Exceeded(Exception):
    """A client, or all of them, would have more than they may: `kind` names the limit as ListenerLimits does."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(slots=True)
class ListenerLimits:
    """What is None is not limited."""

    connections: Slots | None = None
    """Open connections of each client."""
    connection_rate: RateLimit | None = None
    """New connections."""
    request_rate: RateLimit | None = None
    """Requests, those included that no route matches."""

    def admit(self, client: bytes, now: float) -> Slot | None:
        """Let a new connection in from the packed address: its slot, if connections are limited. Raises Exceeded."""
        if self.connection_rate is not None and self.connection_rate.take(client, now):
            raise Exceeded("connection_rate")
        if self.connections is None:
            return None
        slot = self.connections.take(client)
        if slot is None:
            raise Exceeded("connections")
        return slot
