"""Where the servers of one pool come from, and which they are now."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from fastpath.errors import FastPathError
from slowpath.control.config import ConfigError, PoolConfig, ServerConfig
from slowpath.control.config.context import Context
from slowpath.control.config.servers import admit
from slowpath.control.discovery.files import Watch, signature
from slowpath.control.discovery.names import Names
from slowpath.control.discovery.targets import Target, expand, names
from slowpath.wire.endpoint import Endpoint

_log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds from one look at a file to the next."""

Apply: TypeAlias = Callable[[str, Sequence[Target]], Awaitable[None]]
"""Puts the servers of a pool in force; raises FastPathError."""


class Source:
    """The servers of the pool called `name`: those of its configuration or its file, at the addresses they have now."""

    def __init__(
        self, name: str, config: PoolConfig, context: Context, known: Names, reads: Counter[tuple[str, str]]
    ) -> None:
        """Reads the pool's file, if it has one; raises ConfigError. `reads` counts that by pool and result."""
        self.name = name
        self._config, self._context = config, context
        self._names = known
        self._reads = reads
        file = config.servers_file
        self._watch = Watch(signature(file.path)) if file is not None else None
        self.servers: Sequence[ServerConfig] = config.listed()
        self.in_force: tuple[Target, ...] = ()
        self._refusal = ""

    @property
    def has_file(self) -> bool:
        """Whether there is a file to look at."""
        return self._watch is not None

    @property
    def has_names(self) -> bool:
        """Whether there is anything to resolve."""
        return bool(names(self.servers))

    def targets(self) -> tuple[Target, ...]:
        """The servers, as far as their addresses are known, and servers can be there."""
        return expand(self.servers, self._names.answers, self._admit)

    async def resolve(self, *, missing: bool = False) -> None:
        """Ask for the addresses of all names, or of those only that have none."""
        asked = [name for name in names(self.servers) if not (missing and name in self._names.answers)]
        await self._names.ask(self.name, asked, self._admit)

    async def look(self) -> None:
        """Read the file again if it has changed; one that is wrong changes nothing."""
        file = self._config.servers_file
        assert file is not None and self._watch is not None
        if not self._watch.look(await asyncio.to_thread(signature, file.path)):
            return
        try:
            self.servers = self._config.listed()
        except ConfigError as error:
            self._reads[self.name, "failure"] += 1
            _log.error("pool %s keeps its servers:\n%s", self.name, error)
            return
        self._reads[self.name, "success"] += 1
        await self.resolve(missing=True)

    async def apply(self, apply: Apply) -> None:
        """Put the servers in force unless they are; what the fast path refuses is logged, and tried again later."""
        targets = self.targets()
        if targets == self.in_force:
            return
        try:
            await apply(self.name, targets)
        except FastPathError as error:
            if self._refusal != str(error):
                _log.error("pool %s keeps its servers: %s", self.name, error)
            self._refusal = str(error)
            return
        _log.info("pool %s: %s", self.name, _difference(self.in_force, targets))
        self.in_force, self._refusal = targets, ""

    async def follow_names(self, apply: Apply) -> None:
        """Ask again and again; ends when it is cancelled."""
        while True:
            await asyncio.sleep(self._config.resolve)
            await self.resolve()
            await self.apply(apply)

    async def follow_file(self, apply: Apply) -> None:
        """Look again and again; ends when it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()
            await self.apply(apply)

    def _admit(self, endpoint: Endpoint) -> None:
        admit(endpoint, self._context)


def _difference(before: Sequence[Target], after: Sequence[Target]) -> str:
    """What has changed, for the log."""
    old, new = ({target.endpoint: target.server.weight for target in targets} for targets in (before, after))
    changes = {
        "new": [endpoint for endpoint in new if endpoint not in old],
        "gone": [endpoint for endpoint in old if endpoint not in new],
        "changed": [endpoint for endpoint in new if endpoint in old and old[endpoint] != new[endpoint]],
    }
    said = [f"{what} {', '.join(map(str, endpoints))}" for what, endpoints in changes.items() if endpoints]
    return "; ".join(said) or "the same servers in another order"
