"""The neighbour table: who is on our links, and when to ask again. No I/O and no clock: `now` is in seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from fastpath.switch.network import Neighbour

_RETRY = 1.0
"""Seconds between requests (RFC 1122 section 2.3.2.1: at most one a second)."""
_TRIES = 3
"""Requests without an answer after which a neighbour counts as gone."""
_LONGEST_RETRY = 32.0
_REFRESH = 60.0
"""Seconds after which a neighbour that has answered is asked again (RFC 1122 section 2.3.2.1)."""
CAPACITY = 4096


class Query(NamedTuple):
    """A request to send: to everybody, or to the `mac` that is to be confirmed."""

    neighbour: Neighbour
    mac: bytes | None


@dataclass(slots=True)
class _Entry:
    next_query: float
    mac: bytes | None = None
    unanswered: int = 0
    wanted: bool = False


class Neighbours:
    """Up to CAPACITY neighbours; those that are wanted are asked for until they answer, others three times."""

    def __init__(self) -> None:
        self._entries: dict[Neighbour, _Entry] = {}
        self._resolved: dict[Neighbour, bytes] = {}
        self._resolving: set[Neighbour] = set()
        self.next_deadline: float | None = None
        """When `advance` has something to do; None for never."""

    @property
    def resolved(self) -> Mapping[Neighbour, bytes]:
        """The Ethernet address of each neighbour that has one; a new object after every change."""
        return self._resolved

    @property
    def resolving(self) -> Set[Neighbour]:
        """Those whose first answer may still come soon."""
        return self._resolving

    def want(self, neighbours: Collection[Neighbour], now: float) -> None:
        """Ask for these, and keep asking; no others are wanted any more."""
        for neighbour, entry in self._entries.items():
            entry.wanted = neighbour in neighbours
        for neighbour in neighbours:
            self._entry(neighbour, now).wanted = True

    def seek(self, neighbour: Neighbour, now: float) -> None:
        """Ask for this one if it is not known."""
        if neighbour not in self._entries and len(self._entries) < CAPACITY:
            self._entry(neighbour, now)

    def heard(self, neighbour: Neighbour, mac: bytes, now: float, *, asked_us: bool) -> None:
        """Note what an ARP packet says of its sender: one that is known, or asks for us, is learned (RFC 826)."""
        entry = self._entries.get(neighbour)
        if entry is None:
            if not asked_us or len(self._entries) >= CAPACITY:
                return
            entry = self._entry(neighbour, now)
        entry.unanswered = 0
        self._schedule(entry, now + _REFRESH)
        if entry.mac != mac:
            entry.mac = mac
            self._resolving.discard(neighbour)
            self._resolved = {**self._resolved, neighbour: mac}

    def advance(self, now: float) -> list[Query]:
        """What is to be asked now."""
        if self.next_deadline is None or now < self.next_deadline:
            return []
        queries = []
        for neighbour, entry in [*self._entries.items()]:
            if entry.next_query > now:
                continue
            if entry.unanswered >= _TRIES and not self._give_up(neighbour, entry):
                continue
            queries.append(Query(neighbour, entry.mac))
            entry.unanswered += 1
            entry.next_query = now + _pause(entry.unanswered)
        self.next_deadline = min((entry.next_query for entry in self._entries.values()), default=None)
        return queries

    def _entry(self, neighbour: Neighbour, now: float) -> _Entry:
        entry = self._entries.get(neighbour)
        if entry is None:
            entry = self._entries[neighbour] = _Entry(now)
            self._resolving.add(neighbour)
            self._schedule(entry, now)
        return entry

    def _schedule(self, entry: _Entry, when: float) -> None:
        entry.next_query = when
        if self.next_deadline is None or when < self.next_deadline:
            self.next_deadline = when

    def _give_up(self, neighbour: Neighbour, entry: _Entry) -> bool:
        """Forget the address of a neighbour that does not answer; returns whether it is asked for nevertheless."""
        self._resolving.discard(neighbour)
        if entry.mac is not None:
            entry.mac = None
            self._resolved = {other: mac for other, mac in self._resolved.items() if other != neighbour}
        if not entry.wanted:
            del self._entries[neighbour]
        return entry.wanted


def _pause(unanswered: int) -> float:
    return min(_RETRY * 2.0 ** max(unanswered - _TRIES, 0), _LONGEST_RETRY)
