"""Idle time-outs: telling which entries no packet has matched for their time to live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from p4model.state.errors import InvalidArgument, NotSupported
from p4model.state.record import EntryKey, Record

MINIMUM_INTERVAL = 9
"""Milliseconds: 2^21 clocks of 1.22 GHz for each of five states of three idle bits."""


class Mode(Enum):
    """How idleness is learned: by asking for each entry's hit state, or by notifications."""

    POLL = "poll"
    NOTIFY = "notify"


@dataclass(slots=True)
class Sweep:
    """What one look at all entries has found."""

    idle: list[EntryKey] = field(default_factory=list)
    active: list[EntryKey] = field(default_factory=list)


class Aging:
    """The idle time-out of one table, without a clock; entries are never removed by it."""

    def __init__(self, table: str, records: Mapping[EntryKey, Record]) -> None:
        self._table = table
        self._records = records
        self.mode = Mode.POLL
        self.enabled = False
        self.interval = 0
        """Milliseconds between two sweeps in NOTIFY mode."""

    def configure(self, mode: Mode, *, enabled: bool, interval: int) -> None:
        """Set mode and interval (ms).

        Raises InvalidArgument for an interval of 0 in NOTIFY mode, NotSupported for one that is too short for the
        hardware, or if the mode changes while the table has entries.
        """
        if mode is Mode.NOTIFY and not interval:
            raise InvalidArgument(f"{self._table}: the idle time-out needs a query interval")
        if mode is Mode.NOTIFY and interval < MINIMUM_INTERVAL:
            raise NotSupported(
                f"{self._table}: the query interval is {interval} ms, the least is {MINIMUM_INTERVAL} ms"
            )
        if mode is not self.mode and self._records:
            raise NotSupported(f"{self._table}: the idle time-out changes its mode only while the table is empty")
        self.mode, self.enabled, self.interval = mode, enabled, interval

    def require_ttl(self, ttl: int) -> None:
        """Check a time to live (ms); raises NotSupported in POLL mode, InvalidArgument below the query interval."""
        if self.mode is Mode.POLL:
            raise NotSupported(f"{self._table}: entries have a time to live only in NOTIFY mode")
        if 0 < ttl < self.interval:
            raise InvalidArgument(
                f"{self._table}: the time to live is {ttl} ms, less than the query interval of {self.interval} ms"
            )

    def update_hit_state(self) -> None:
        """Make `Record.active` say whether a packet has matched since the last call (POLL mode)."""
        for record in self._records.values():
            record.active, record.hit = record.hit, False

    def sweep(self) -> Sweep:
        """Count one query interval down (NOTIFY mode); each spell of idleness is told once."""
        sweep = Sweep()
        for key, record in self._records.items():
            if record.hit:
                record.hit, record.remaining = False, record.ttl
                if not record.active:
                    record.active = True
                    sweep.active.append(key)
            elif record.ttl and record.active:
                record.remaining -= self.interval
                if record.remaining <= 0:
                    record.remaining, record.active = 0, False
                    sweep.idle.append(key)
        return sweep


def start(record: Record, ttl: int) -> None:
    """Give an entry `ttl` milliseconds to live, from now on."""
    record.ttl = record.remaining = ttl
    record.active = True
