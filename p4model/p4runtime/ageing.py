"""Idle time-outs of a table's entries, without a clock: every time is passed in, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from p4model.state.record import EntryKey, Record


@dataclass(slots=True)
class _Timer:
    timeout: float
    hit: float
    """When a packet matched last, or when the timer was started."""
    told: float
    """When the entry was last told to be idle."""

    def expired(self, now: float) -> bool:
        return now - max(self.hit, self.told) >= self.timeout


class Ageing:
    """The timers of one table (P4Runtime sections 9.1.8 and 16.4). It is the controller that removes entries."""

    def __init__(self, records: Mapping[EntryKey, Record]) -> None:
        self._records = records
        self._timers: dict[EntryKey, _Timer] = {}

    def start(self, key: EntryKey, timeout: float, now: float) -> None:
        """Give an entry a time-out from now on, 0 for none."""
        if timeout:
            self._timers[key] = _Timer(timeout, now, now)
        else:
            self.forget(key)

    def forget(self, key: EntryKey) -> None:
        """End the timer of an entry, if it has one."""
        self._timers.pop(key, None)

    def elapsed(self, key: EntryKey, now: float) -> float:
        """The time since the last packet, exact to one sweep and at most the time-out; 0 without a time-out."""
        timer = self._timers.get(key)
        if timer is None:
            return 0.0
        self._look(key, timer, now)
        return min(now - timer.hit, timer.timeout)

    def sweep(self, now: float) -> Iterator[EntryKey]:
        """The entries that have been idle for their time-out, or for another one since they were last told."""
        for key, timer in self._timers.items():
            self._look(key, timer, now)
            if timer.expired(now):
                timer.told = now
                yield key

    def _look(self, key: EntryKey, timer: _Timer, now: float) -> None:
        record = self._records[key]
        if record.hit:
            record.hit, timer.hit = False, now
