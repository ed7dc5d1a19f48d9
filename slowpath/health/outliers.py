"""Passive checks of one pool: what clients' connections say of its servers, and who is ejected for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from slowpath.balancing.member import Member
from slowpath.health.ejection import Ejection, Event, State, Times

REASONS = ("connect", "reset", "slow")
"""Why a server can be ejected: connects that fail, resets soon after the start, handshakes slower than the others'."""

_KINDS = {"refused": "connect", "timeout": "connect", "options": "connect", "reset": "reset"}
"""By the reason of a failed connect."""

_SMOOTHING = 0.125
"""The weight of a new handshake's duration in a server's average, as that of a round trip in RFC 6298."""


@dataclass(frozen=True, slots=True)
class OutlierPolicy:
    """What is too much, and what follows; times in seconds.

    `limits` are failures in a row by reason, of which each comes at most `window` after the one before;
    a reason that is missing, or whose limit is 0, is not looked at. A reset counts within `reset_within`
    of the connection's start. A handshake is slow that takes longer than `slow_floor` and than
    `slow_factor` times the median of the other servers' averages. At most `largest_share` percent of the
    pool's servers are ejected at a time, and never the last that is available.
    """

    limits: dict[str, int] = field(default_factory=lambda: {"connect": 5, "reset": 0, "slow": 5})
    window: float = 30.0
    reset_within: float = 1.0
    slow_factor: float = 10.0
    slow_floor: float = 0.1
    largest_share: int = 50
    base: float = 10.0
    longest: float = 300.0
    trial: float = 5.0

    @property
    def times(self) -> Times:
        """How long the states of an ejection last."""
        return Times(self.base, self.longest, self.trial, self.reset_within)


@dataclass(slots=True)
class Record:
    """What is known of one server."""

    member: Member
    ejection: Ejection = field(default_factory=Ejection)
    average: float | None = None
    """Of its handshakes, in seconds, smoothed."""
    in_a_row: Counter[str] = field(default_factory=Counter)
    """Failures by reason."""
    last_failure: float = 0.0
    reason: str = ""
    """Of the last ejection."""
    ejections: Counter[str] = field(default_factory=Counter)
    """So far, by reason."""


class Outliers:
    """The servers of one pool; keeps their `Member.ejected`, and calls `on_change` with each that changes its state."""

    def __init__(
        self,
        members: Iterable[Member],
        policy: OutlierPolicy,
        known: Mapping[int, Record],
        on_change: Callable[[Record], None] = lambda record: None,
    ) -> None:
        """Servers whose record is `known` (by member id) go on as they are."""
        self.policy = policy
        self.records: dict[int, Record] = {}
        for member in members:
            record = known.get(member.id)
            # The id of one that has left may be another's by now.
            self.records[member.id] = record if record is not None and record.member is member else Record(member)
        self.next_deadline: float | None = None
        """When to call `advance`, at the latest."""
        self._times = policy.times
        self._on_change = on_change
        self._schedule()

    # What is observed (slowpath.splicing.observer)

    def connecting(self, member: Member, now: float) -> None:
        """A SYN is on its way to the server."""
        record = self.records[member.id]
        if record.ejection.state is State.READY:
            self._handle(record, Event.PICKED, now)

    def connected(self, member: Member, seconds: float, now: float) -> None:
        """The server accepted after `seconds`."""
        record = self.records[member.id]
        is_slow = seconds > self.policy.slow_floor and self._is_slow(record, seconds)
        record.average = seconds if record.average is None else record.average + _SMOOTHING * (seconds - record.average)
        if is_slow:
            self._failed(record, "slow", now)
        elif record.in_a_row:
            record.in_a_row.pop("slow", None)
        if record.in_a_row:
            record.in_a_row.pop("connect", None)
        if record.ejection.state is State.TRIAL:
            self._handle(record, Event.ACCEPTED, now)

    def failed(self, member: Member, reason: str, now: float) -> None:
        """A connect failed, or the connection before its join."""
        if reason in _KINDS:
            self._failed(self.records[member.id], _KINDS[reason], now)

    def ended(self, member: Member, seconds: float, now: float, *, reset: bool) -> None:
        """A connection has ended after `seconds`."""
        record = self.records[member.id]
        if reset and seconds <= self.policy.reset_within:
            self._failed(record, "reset", now)
        elif record.in_a_row:
            record.in_a_row.pop("reset", None)

    def recovered(self, member: Member, now: float) -> None:
        """Probes have brought a server up: what it was ejected for is over."""
        self._handle(self.records[member.id], Event.RECOVERED, now)

    # Time

    def advance(self, now: float) -> None:
        """Do what has become due by `now`."""
        for record in self.records.values():
            if record.ejection.until is not None and record.ejection.until <= now:
                self._handle(record, Event.TIME, now)

    # Decisions

    def _is_slow(self, record: Record, seconds: float) -> bool:
        others = [other.average for other in self.records.values() if other is not record and other.average is not None]
        return bool(others) and seconds > self.policy.slow_factor * median(others)

    def _failed(self, record: Record, reason: str, now: float) -> None:
        limit = self.policy.limits.get(reason, 0)
        if not limit:
            return
        if now - record.last_failure > self.policy.window:
            record.in_a_row.clear()
        record.last_failure = now
        record.in_a_row[reason] += 1
        if record.ejection.state is not State.IN:
            self._handle(record, Event.FAILED, now, reason)
        elif record.in_a_row[reason] >= limit and self._may_eject(record):
            self._handle(record, Event.EXCEEDED, now, reason)

    def _may_eject(self, record: Record) -> bool:
        members = [other.member for other in self.records.values()]
        ejected = sum(member.ejected for member in members)
        left = any(member.available for member in members if member is not record.member)
        return left and (ejected + 1) * 100 <= self.policy.largest_share * len(members)

    def _handle(self, record: Record, event: Event, now: float, reason: str = "") -> None:
        before = record.ejection.state
        if record.ejection.handle(event, now, self._times):
            record.reason = reason
            record.ejections[reason] += 1
        if record.ejection.state in (State.IN, State.EJECTED):
            record.in_a_row.clear()
        if record.ejection.state is State.IN and before is not State.IN:
            record.member.up_since = now
        record.member.ejected = record.ejection.takes_none
        self._schedule()
        if record.ejection.state is not before:
            self._on_change(record)

    def _schedule(self) -> None:
        times = (record.ejection.until for record in self.records.values())
        self.next_deadline = min((time for time in times if time is not None), default=None)
