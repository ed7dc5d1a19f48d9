"""All pools' sources of servers, followed while the configuration that names them is in force."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from slowpath.control.config import Config
from slowpath.control.discovery.names import RESULTS, Names, Resolver
from slowpath.control.discovery.source import Apply, Source
from slowpath.control.discovery.targets import Targets, names

_log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a start or a reload waits for the addresses of new names; it goes on without them after that."""


@dataclass(frozen=True, slots=True)
class Found:
    """How often names were resolved and files read, by pool and result."""

    resolutions: Mapping[tuple[str, str], int]
    reads: Mapping[tuple[str, str], int]


class Discovery:
    """Finds the servers of pools; `apply` takes them when they change."""

    def __init__(self, resolver: Resolver, apply: Apply) -> None:
        self._names = Names(resolver)
        self._reads: Counter[tuple[str, str]] = Counter()
        self._apply = apply
        self._sources: list[Source] = []
        self._following: list[asyncio.Task[None]] = []

    async def sources(self, config: Config) -> list[Source]:
        """Those of a configuration, with the addresses of names that could be had; raises ConfigError."""
        sources = [Source(name, pool, config.context, self._names, self._reads) for name, pool in config.pools.items()]
        asking = asyncio.gather(*(source.resolve(missing=True) for source in sources))
        try:
            await asyncio.wait_for(asking, PATIENCE)
        except TimeoutError:
            _log.warning("names of servers are not resolved after %g s: going on without them", PATIENCE)
        return sources

    def follow(self, sources: list[Source], tasks: asyncio.TaskGroup) -> None:
        """These sources' servers are in force: follow them in `tasks`, in the place of others."""
        self.stop()
        self._names.keep({name for source in sources for name in names(source.servers)})
        self._sources = sources
        for source in sources:
            source.in_force = source.targets()
            if source.has_file:
                self._following.append(tasks.create_task(source.follow_file(self._apply)))
            if source.has_file or source.has_names:
                self._following.append(tasks.create_task(source.follow_names(self._apply)))

    def stop(self) -> None:
        """Follow nothing any more."""
        for task in self._following:
            task.cancel()
        self._following = []

    @property
    def found(self) -> Found:
        """What was counted so far, 0 included."""
        resolving = [source.name for source in self._sources if source.has_names]
        reading = [source.name for source in self._sources if source.has_file]
        return Found(_zeros(resolving) | self._names.resolutions, _zeros(reading) | self._reads)


def targets_of(sources: list[Source]) -> Targets:
    """The servers by pool."""
    return {source.name: source.targets() for source in sources}


def _zeros(pools: list[str]) -> dict[tuple[str, str], int]:
    return {(pool, result): 0 for pool in pools for result in RESULTS}
