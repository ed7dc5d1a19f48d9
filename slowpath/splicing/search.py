"""Looking for connections among all that are open, a part at a time, so that others have their turn in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from slowpath.splicing.context import Context
from slowpath.splicing.packing import GLANCE
from slowpath.splicing.phases import Phase
from slowpath.wire import four_tuple
from slowpath.wire.endpoint import Endpoint

_PART = 4096
"""So many of the connections that are awake are looked at before others have their turn."""


class Prefix(NamedTuple):
    """A network: the `length` leading bits of a packed address."""

    address: bytes
    length: int

    def holds(self, key: bytes) -> bool:
        """Whether the source of a 4-tuple is in the network."""
        whole, bits = divmod(self.length, 8)
        if len(key) != four_tuple.length(self.address) or not key.startswith(self.address[:whole]):
            return False
        return not bits or not (key[whole] ^ self.address[whole]) >> (8 - bits)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which connections are looked for: those that fit all that is not None, and of them the `limit` oldest."""

    limit: int
    client: Prefix | None = None
    server: Endpoint | None = None
    pool: str | None = None
    phase: Phase | None = None


class Match(NamedTuple):
    """A connection; `started` is on the monotonic clock, `server` and `pool` are None until one has been chosen."""

    started: float
    key: bytes
    """The 4-tuple of its client's packets."""
    server: Endpoint | None
    pool: str | None
    phase: Phase

    @property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """The client, and the listener that it has connected to."""
        return four_tuple.unpack(self.key)


class Search:
    """Takes as many `steps` as it needs. A connection that comes awake between two may be missed, none counts twice."""

    def __init__(self, context: Context, wanted: Wanted) -> None:
        self._context = context
        self._wanted = wanted
        self._found: dict[bytes, Match] = {}
        self._awake: set[bytes] = set()
        """Who fits and has been counted while awake: it may have come to rest since."""
        self._latest = float("inf")
        """Who has started later is not among the oldest."""
        client = wanted.client
        self._whole = b"" if client is None else client.address[: client.length // 8]
        """What the addresses of the network have in common, but for a few bits: nearly all others differ there."""
        self.matching = 0
        """How many connections fit, whether or not they are among the oldest."""

    def steps(self) -> Iterator[None]:
        """Look on with each step, for a few milliseconds."""
        client = self._wanted.client
        keys = list(self._context.connections)
        for start in range(0, len(keys), _PART):
            for key in keys[start : start + _PART]:
                # As it is now: who has come to rest meanwhile is found there.
                connection = self._context.connections.get(key)
                if connection is not None and connection.key == key:
                    member, pool = connection.member, connection.pool
                    server, name = member.endpoint if member else None, pool.name if pool else None
                    if self._fits(server, name, connection.phase) and (client is None or client.holds(key)):
                        self._awake.add(key)
                        self._note(Match(connection.started, key, server, name, connection.phase))
            yield
        for records in self._context.rest.parts():
            self._look_at_resting(records)
            yield

    @property
    def oldest(self) -> list[Match]:
        """What was found, the oldest first."""
        return sorted(self._found.values())[: self._wanted.limit]

    def _look_at_resting(self, records: Mapping[bytes, bytes]) -> None:
        packer, client, whole, unpack = self._context.rest.packer, self._wanted.client, self._whole, GLANCE.unpack_from
        known: dict[tuple[int, int], bool] = {}
        """Whether those of a pool and a member fit; their numbers hold until the next step."""
        passed_over = 0
        for key, record in records.items():
            started, pool_number, member_number = unpack(record)
            fits = known.get((pool_number, member_number))
            if fits is None:
                pool, member = packer.place(pool_number, member_number)
                fits = known[pool_number, member_number] = self._fits(member.endpoint, pool.name, Phase.SPLICED)
            if not fits or (client is not None and not (key.startswith(whole) and client.holds(key))):
                continue
            if key in self._awake:
                continue
            if started < self._latest:
                pool, member = packer.place(pool_number, member_number)
                self._note(Match(started, key, member.endpoint, pool.name, Phase.SPLICED))
            else:
                passed_over += 1
        self.matching += passed_over

    def _fits(self, server: Endpoint | None, pool: str | None, phase: Phase) -> bool:
        wanted = self._wanted
        return (
            (wanted.server is None or server == wanted.server)
            and (wanted.pool is None or pool == wanted.pool)
            and (wanted.phase is None or phase is wanted.phase)
        )

    def _note(self, found: Match) -> None:
        self.matching += 1
        self._found[found.key] = found
        if len(self._found) > 2 * self._wanted.limit:
            self._found = {each.key: each for each in self.oldest}
            self._latest = next(reversed(self._found.values())).started
