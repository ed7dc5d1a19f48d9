"""Virtual time and a lossy network: everything that happens is an event, and a seed decides what goes wrong."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random


@dataclass(frozen=True, slots=True)
class Impairment:
    """Probabilities per packet, and the greatest extra delay of one that is reordered, in seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    detour: float = 0.02


class Clock:
    """Runs events in the order of their times; `now` is virtual seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, time: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(time, self.now), next(self._order), action))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Run events for `seconds`, or until there are none left, or `until` holds."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end and not until():
            self.now, _, action = heapq.heappop(self._events)
            action()
        if not until():
            self.now = end


class Link:
    """A one-way link with a delay, which impairs packets by chance."""

    def __init__(self, clock: Clock, random: Random, impairment: Impairment, deliver: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._random = random
        self._impairment = impairment
        self._deliver = deliver

    def send(self, packet: bytes) -> None:
        chance = self._random.random
        if chance() < self._impairment.loss:
            return
        copies = 2 if chance() < self._impairment.duplication else 1
        for _ in range(copies):
            delay = 0.001
            if chance() < self._impairment.reordering:
                delay += chance() * self._impairment.detour
            self._clock.at(self._clock.now + delay, lambda: self._deliver(packet))
