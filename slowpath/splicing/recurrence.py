"""What comes again: of which heads the fast path is to be told, and when anew; and the labels that it counts by."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final

from fastpath.records import LABELS
from slowpath.splicing.service import Pool, Service

LIFETIME: Final = 1.0
"""Seconds for which the fast path goes by what it was told: a server that goes away may be asked for so much longer."""
METHOD: Final = "GET"
"""Of the requests that it may decide on: the slow path has to know what is answered."""
_REMEMBERED: Final = 8192

ServiceAndPool = tuple[str, str]


class Recurrence:
    """Hashes of what has been seen, the latest of them, and until when what was told of each holds."""

    def __init__(self) -> None:
        self._until: OrderedDict[int, float] = OrderedDict()
        """0 for what nothing was told of; those seen last at the end."""

    def is_due(self, name: int, now: float) -> bool:
        """Note that `name` has come; whether to tell of it now, which holds for LIFETIME then."""
        until = self._until.pop(name, None)
        if until is None or until - now > LIFETIME / 2:
            # The first of its kind; or one that was under way while the fast path was told.
            self._until[name] = until or 0.0
            if len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)
            return False
        self._until[name] = now + LIFETIME
        return True

    def forget(self) -> None:
        """Nothing has been seen, and nothing holds."""
        self._until.clear()


class Labels:
    """Numbers for services and pools, for as long as there are any left."""

    def __init__(self) -> None:
        self._numbers: dict[ServiceAndPool, int] = {}
        self._places: list[tuple[Service, Pool]] = []

    def of(self, service: Service, pool: Pool) -> int | None:
        """The label of what goes from the service to the pool; None if all LABELS are taken."""
        number = self._numbers.get((service.name, pool.name))
        if number is None:
            number = len(self._places)
            if number >= LABELS:
                return None
            self._numbers[service.name, pool.name] = number
            self._places.append((service, pool))
        self._places[number] = service, pool
        return number

    def __getitem__(self, label: int) -> tuple[Service, Pool]:
        """Service and pool that the label was given for last."""
        return self._places[label]

    def counts(self, counted: Mapping[int, int]) -> Iterator[tuple[ServiceAndPool, int]]:
        """What was counted by label, for each service and pool that has one."""
        for name, label in self._numbers.items():
            yield name, counted.get(label, 0)
