"""Rates: how much may happen in a time, and how much of it at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from slowpath.limiting.clients import ClientPrefix

CAPACITY = 65_536
"""Clients that a limit tells apart; beyond them the one that was away longest starts afresh."""

_ROUNDING = 1e-9
_EVERYBODY = b""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` in the long run, and `burst` (1 or more) at once."""

    per_second: float
    burst: int


class RateLimit:
    """A token bucket for each client, or one for all of them.

    A bucket is one number, the time at which it is full again (the generic cell rate algorithm, ITU-T I.371
    annex A): none is filled by a timer, and one that is not there is full.
    """

    def __init__(self, rate: Rate, prefix: ClientPrefix | None, capacity: int = CAPACITY) -> None:
        """`prefix` tells clients apart, None makes all of them one; `capacity` bounds the memory for them."""
        self._interval = 1 / rate.per_second
        self._tolerance = (rate.burst - 1) * self._interval + _ROUNDING
        self._prefix = prefix
        self._capacity = capacity
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are told apart at the moment."""
        return len(self._full_at)

    def take(self, client: bytes, now: float) -> float:
        """Take a token for the client at the packed address: 0.0, or in how many seconds there will be one."""
        key = _EVERYBODY if self._prefix is None else self._prefix.of(client)
        buckets = self._full_at
        full_at = max(buckets.get(key, now), now)
        wait = full_at - now - self._tolerance
        if wait > 0:
            buckets.move_to_end(key)
            return wait
        buckets[key] = full_at + self._interval
        buckets.move_to_end(key)
        if len(buckets) > self._capacity:
            buckets.popitem(last=False)
        return 0.0
