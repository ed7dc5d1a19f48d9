"""The switch's counters, as sums that outlive paths, reconnects and restarts of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from fastpath.frame import ETHERNET_LENGTH
from fastpath.pipeline.driver import Count, Driver
from fastpath.pipeline.paths import Path
from fastpath.pipeline.rows import OUTCOMES, TRAFFIC
from fastpath.records import Counters, Direction, Drop, Reason, Traffic

_FIRST_DROP = 16
"""Where drops begin among the outcomes; punts are at their reason's number."""
_NOTHING = Count(0, 0)


class SwitchCounters:
    """Adds up what the switch counts; `refresh` asks it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._refreshing = asyncio.Lock()
        self._last: dict[tuple[str, int], Count] = {}
        self._servers: dict[int, tuple[Traffic, Traffic]] = {}
        self._punts: dict[Reason, int] = dict.fromkeys(Reason, 0)
        self._drops: dict[Drop, int] = dict.fromkeys(Drop, 0)

    async def start(self) -> None:
        """Count from now on; raises Unavailable."""
        for counter in (TRAFFIC, OUTCOMES):
            for index, found in enumerate(await self._driver.count(counter)):
                self._last[counter, index] = found

    async def refresh(self, paths: Iterable[tuple[Path, int]]) -> None:
        """Add what was counted since the last time, for `paths` and their numbers; raises Unavailable."""
        # What is read first has to be added first.
        async with self._refreshing:
            ways = [(path.server_id, way, number * len(Direction) + way) for path, number in paths for way in Direction]
            self._add_traffic(ways, await self._driver.count(TRAFFIC, [index for _, _, index in ways]))
            outcomes = [*Reason, *(_FIRST_DROP + drop for drop in Drop)]
            self._add_outcomes(await self._driver.count(OUTCOMES, outcomes))

    def snapshot(self) -> Counters:
        """The sums as of the last refresh."""
        servers = {
            server: (Traffic(up.packets, up.bytes), Traffic(down.packets, down.bytes))
            for server, (up, down) in self._servers.items()
        }
        return Counters(servers, dict(self._punts), dict(self._drops))

    def _add_traffic(self, ways: Sequence[tuple[int, Direction, int]], counts: Sequence[Count]) -> None:
        for (server, way, index), found in zip(ways, counts, strict=True):
            more = self._more(TRAFFIC, index, found)
            sums = self._servers.setdefault(server, (Traffic(), Traffic()))[way]
            sums.packets += more.packets
            # The switch counts whole frames, the contract from layer 3 on.
            sums.bytes += more.bytes - more.packets * ETHERNET_LENGTH

    def _add_outcomes(self, counts: Sequence[Count]) -> None:
        for reason, found in zip(Reason, counts[: len(Reason)], strict=True):
            self._punts[reason] += self._more(OUTCOMES, reason, found).packets
        for drop, found in zip(Drop, counts[len(Reason) :], strict=True):
            self._drops[drop] += self._more(OUTCOMES, _FIRST_DROP + drop, found).packets

    def _more(self, counter: str, index: int, now: Count) -> Count:
        """What was counted since the last time: all of it if the server has begun anew since."""
        key = counter, index
        last = self._last.get(key, _NOTHING)
        self._last[key] = now
        if now.packets < last.packets:
            return now
        return Count(now.packets - last.packets, now.bytes - last.bytes)
