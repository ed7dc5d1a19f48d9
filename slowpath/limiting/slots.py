"""Concurrency: how many connections a client may have open."""

from __future__ import annotations

from slowpath.limiting.clients import ClientPrefix


class Slot:
    """The connections of one client: shared by all of them, so that each costs one reference."""

    __slots__ = ("_key", "_taken", "count")

    def __init__(self, taken: Taken, key: bytes) -> None:
        self._taken, self._key = taken, key
        self.count = 0

    def release(self) -> None:
        """One of the connections is over."""
        self.count -= 1
        if self.count == 0:
            del self._taken[self._key]


class Taken(dict[bytes, Slot]):
    """The clients that have connections; outlives a change of the limit on them."""


class Slots:
    """Lets each client have `limit` connections, those included that `taken` knows of already."""

    def __init__(self, limit: int, prefix: ClientPrefix, taken: Taken) -> None:
        self._limit, self._prefix, self._taken = limit, prefix, taken

    def take(self, client: bytes) -> Slot | None:
        """A place for one more connection of the client at the packed address; None: it has as many as it may."""
        key = self._prefix.of(client)
        slot = self._taken.get(key)
        if slot is None:
            slot = self._taken[key] = Slot(self._taken, key)
        if slot.count >= self._limit:
            return None
        slot.count += 1
        return slot
