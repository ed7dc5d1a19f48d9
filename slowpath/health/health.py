"""The health of all servers: active probes, passive checks, and the panic of pools that have too few servers left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from slowpath.balancing.member import Member
from slowpath.health.ejection import State
from slowpath.health.outliers import OutlierPolicy, Outliers, Record
from slowpath.health.probe import Probe
from slowpath.health.prober import Prober
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.tcp import Segment

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolHealth:
    """How the pool `name` of `members` is looked after.

    `outliers` is None for no passive checks. When less than `panic` percent of the members that may have
    connections are healthy, all of them get some: 0 for never.
    """

    name: str
    members: Sequence[Member]
    outliers: OutlierPolicy | None = None
    panic: int = 0

    def refresh(self) -> None:
        """Find out whether there is panic, after anything about a member has changed."""
        usable = [member for member in self.members if member.weight > 0 and not member.draining]
        panic = sum(member.healthy for member in usable) * 100 < self.panic * len(usable)
        for member in self.members:
            member.panic = panic


class Health:
    """Keeps `Member.up`, `ejected` and `panic`; hears of connections as `slowpath.splicing.observer` says.

    `source` gives our packed address toward a server, or None if there is no route; `now` is seconds of
    the monotonic clock throughout.
    """

    def __init__(self, source: Callable[[Endpoint], bytes | None], random: Random) -> None:
        self._prober = Prober(source, random, self._changed)
        self._pools: dict[int, PoolHealth] = {}
        self._outliers: list[Outliers] = []
        self._observed: dict[int, Outliers] = {}
        """By `Member.id`, as `_pools`."""
        self._has_changed = False
        self.next_deadline: float | None = None
        """When to call `advance`, at the latest."""

    def assign(self, probes: Sequence[Probe]) -> None:
        """Run these probes from now on; those that were there already go on."""
        self._prober.assign(probes)
        self._schedule()

    def look_after(self, pools: Iterable[PoolHealth]) -> None:
        """Watch these pools from now on; what was known of servers that were there already goes on."""
        pools = list(pools)
        known = {id_: record for outliers in self._outliers for id_, record in outliers.records.items()}
        self._pools = {member.id: pool for pool in pools for member in pool.members}
        self._outliers = []
        for pool in pools:
            if pool.outliers is not None:
                self._outliers.append(Outliers(pool.members, pool.outliers, known, partial(self._ejected_or_not, pool)))
        self._observed = {id_: outliers for outliers in self._outliers for id_ in outliers.records}
        for pool in pools:
            if pool.outliers is None:
                for member in pool.members:
                    member.ejected = False
        self.refresh()
        self._schedule()

    def refresh(self) -> None:
        """Find out anew which pools are in panic: a member is draining now, or no more, or has another weight."""
        for pool in {id(pool): pool for pool in self._pools.values()}.values():
            pool.refresh()

    def record(self, member: Member) -> Record | None:
        """What passive checks know of a server; None if there are none."""
        outliers = self._observed.get(member.id)
        return outliers.records[member.id] if outliers is not None else None

    def take_changed(self) -> bool:
        """Whether a server was found well or unwell since the last call."""
        changed, self._has_changed = self._has_changed, False
        return changed

    # Probes

    def take_learned(self) -> bool:
        """See Prober."""
        return self._prober.take_learned()

    def receive(self, segment: Segment, now: float) -> list[Segment] | None:
        """See Prober."""
        replies = self._prober.receive(segment, now)
        if replies is not None:
            self._schedule()
        return replies

    def advance(self, now: float) -> list[Segment]:
        """Do what has become due by `now`, and return what to send."""
        for outliers in self._outliers:
            if outliers.next_deadline is not None and outliers.next_deadline <= now:
                outliers.advance(now)
        segments = self._prober.advance(now)
        self._schedule()
        return segments

    # What is observed (slowpath.splicing.observer)

    def connecting(self, member: Member, now: float) -> None:
        """See Observer."""
        if outliers := self._observed.get(member.id):
            outliers.connecting(member, now)

    def connected(self, member: Member, seconds: float, now: float) -> None:
        """See Observer."""
        if outliers := self._observed.get(member.id):
            outliers.connected(member, seconds, now)

    def failed(self, member: Member, reason: str, now: float) -> None:
        """See Observer."""
        if outliers := self._observed.get(member.id):
            outliers.failed(member, reason, now)

    def ended(self, member: Member, seconds: float, now: float, *, reset: bool) -> None:
        """See Observer."""
        if outliers := self._observed.get(member.id):
            outliers.ended(member, seconds, now, reset=reset)

    # Changes

    def _changed(self, probe: Probe, now: float) -> None:
        self._has_changed = True
        member = probe.member
        pool, outliers = self._pools.get(member.id), self._observed.get(member.id)
        if pool is None:
            return
        if member.up:
            _log.info("%s: server %s is up", pool.name, member.endpoint)
        else:
            _log.warning("%s: server %s is down: %s", pool.name, member.endpoint, probe.why)
        if member.up and outliers is not None:
            outliers.recovered(member, now)
        self._refresh(pool)

    def _ejected_or_not(self, pool: PoolHealth, record: Record) -> None:
        self._has_changed = True
        server = record.member.endpoint
        if record.ejection.state is State.EJECTED:
            _log.warning("%s: server %s is ejected for a time: %s", pool.name, server, record.reason)
        elif record.ejection.state is State.IN:
            _log.info("%s: server %s is no longer ejected", pool.name, server)
        self._refresh(pool)
        self._schedule()

    def _refresh(self, pool: PoolHealth) -> None:
        if not pool.panic:
            return
        before = pool.members[0].panic
        pool.refresh()
        after = pool.members[0].panic
        if after != before:
            _log.warning("%s: %s", pool.name, "panic: every server is used" if after else "the panic is over")

    def _schedule(self) -> None:
        deadlines = (self._prober.next_deadline, *(outliers.next_deadline for outliers in self._outliers))
        self.next_deadline = min((each for each in deadlines if each is not None), default=None)
