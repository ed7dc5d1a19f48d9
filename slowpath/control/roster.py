"""The servers of all pools: what the configuration and the operator say of each, and the state that outlives both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fastpath.errors import TableFull
from slowpath.balancing import slow_start
from slowpath.balancing.member import UNLIMITED, Member
from slowpath.control import checks
from slowpath.control.config import PoolConfig, ServerConfig
from slowpath.control.discovery.targets import Target
from slowpath.health.probe import Policy, Probe
from slowpath.wire.endpoint import Endpoint

_IDS = 1 << 16
"""Of servers in a fast path (`fastpath.records.Server.id`)."""


@dataclass(slots=True, eq=False)
class Entry:
    """A server in its pool."""

    pool: str
    probe: Probe
    server: ServerConfig
    """What the configuration in force says of it."""
    listed: bool = False
    """Whether that has it; if not, it is here for the connections that it still has."""
    drained: bool = False
    """Whether the operator wants no new connections to come."""
    weight: int | None = None
    """The operator's weight, in the place of the configuration's."""

    @property
    def member(self) -> Member:
        """As balancing knows it."""
        return self.probe.member

    def apply(self) -> None:
        """Have balancing go by what is said here."""
        self.member.weight = self.server.weight if self.weight is None else self.weight
        self.member.draining = self.drained or not self.listed


@dataclass(frozen=True, slots=True)
class Enlisted:
    """An entry, and what a configuration that may come in force says of it."""

    entry: Entry
    server: ServerConfig
    policy: Policy

    @property
    def member(self) -> Member:
        """As balancing knows it."""
        return self.entry.probe.member

    def enforce(self) -> None:
        """The configuration is in force."""
        entry = self.entry
        if entry.server.weight != self.server.weight:
            # The operator's weight holds until the configuration has something new to say.
            entry.weight = None
        entry.server, entry.probe.policy, entry.listed = self.server, self.policy, True
        member = self.member
        member.name, member.rank = self.server.name, self.server.rank
        member.max_connections = self.server.max_connections or UNLIMITED
        entry.apply()


class Roster:
    """Every server by its pool and address.

    One that was there before keeps its id, its health, its count of connections, and what the operator said of it.
    One that has left takes no new connections, and is forgotten at the next change after its last one has ended.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, Endpoint], Entry] = {}
        self._taken: set[int] = set()
        self._last_id = _IDS - 1

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def enlist(self, pool: str, targets: Iterable[Target], config: PoolConfig) -> tuple[Enlisted, ...]:
        """The entries of a pool, to be put in force or forgotten; raises TableFull if there are too many."""
        policy = checks.policy(config)
        return tuple(
            Enlisted(
                self._entries.get((pool, target.endpoint)) or self._entry(pool, target, policy), target.server, policy
            )
            for target in targets
        )

    def enforce(self, enlisted: Sequence[Enlisted]) -> None:
        """These are the servers of all pools from now on."""
        for entry in self:
            entry.listed = False
        for each in enlisted:
            each.enforce()
            self._entries[each.entry.pool, each.member.endpoint] = each.entry
        for key, entry in [*self._entries.items()]:
            entry.apply()
            if not entry.listed and not entry.member.connections:
                del self._entries[key]
        self._taken = {entry.member.id for entry in self}

    def leaving(self, enlisted: Iterable[Enlisted]) -> list[Entry]:
        """Those that are not among `enlisted`, and have connections still."""
        kept = {id(each.entry) for each in enlisted}
        return [entry for entry in self if entry.member.connections and id(entry) not in kept]

    def _entry(self, pool: str, target: Target, policy: Policy) -> Entry:
        member = _member(self._next_id(), target)
        if self._entries:
            slow_start.hold_back(member)
        return Entry(pool, Probe(member, policy), target.server)

    def _next_id(self) -> int:
        """An id that is free, and was for as long as possible: it numbers counters, which go on where they were."""
        for step in range(1, _IDS + 1):
            candidate = (self._last_id + step) % _IDS
            if candidate not in self._taken:
                self._last_id = candidate
                return candidate
        raise TableFull(f"there are more than {_IDS} servers")


def _member(number: int, target: Target) -> Member:
    # Down until the first probe says otherwise, which it does before any client is sent there.
    return Member(number, target.endpoint, target.server.weight, up=False)
