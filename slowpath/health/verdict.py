"""Whether a server is up: several probes in a row decide, and more of them for one that keeps changing its mind."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

_MOST_DOUBLINGS = 5
"""How often `rise` can double."""


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """`rise` successes in a row bring a server up, `fall` failures in a row take it down.

    Flapping is damped, after RFC 2439: each time the server goes down it gets a penalty of 1, which
    halves every `half_life` seconds. With a penalty p above 1 it takes rise * 2^(p - 1) successes to
    come up again, 32 times as many as `rise` at most.
    """

    rise: int = 2
    fall: int = 3
    half_life: float = 60.0


class Verdict:
    """The state of one server; it is down at first, and the very first probe decides alone."""

    def __init__(self) -> None:
        self.up = False
        self.checked = False
        """Whether a first probe has ended."""
        self.rise = 0
        """How many more successes in a row it takes to come up; 0 while it is up."""
        self._in_a_row = 0
        self._penalty = 0.0
        self._penalised = 0.0
        """When the penalty was what it says, in seconds."""

    def judge(self, good: bool, now: float, hysteresis: Hysteresis) -> None:
        """Take the outcome of one probe, which ended at `now` (seconds)."""
        self._in_a_row = 0 if good == self.up else self._in_a_row + 1
        needed = hysteresis.fall if self.up else self._rise(now, hysteresis)
        if not self.checked or self._in_a_row >= needed:
            if self.up and not good:
                self._penalty, self._penalised = self._decayed(now, hysteresis) + 1, now
            self.up = good
            self._in_a_row = 0
        self.checked = True
        self.rise = 0 if self.up else self._rise(now, hysteresis) - self._in_a_row

    def _rise(self, now: float, hysteresis: Hysteresis) -> int:
        doublings = min(max(self._decayed(now, hysteresis) - 1, 0.0), _MOST_DOUBLINGS)
        return ceil(hysteresis.rise * 2**doublings)

    def _decayed(self, now: float, hysteresis: Hysteresis) -> float:
        return float(self._penalty * 0.5 ** ((now - self._penalised) / hysteresis.half_life))
