"""Reading the configuration again, and putting it in force or saying why not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from pathlib import Path

from fastpath.errors import FastPathError
from slowpath.control import systemd
from slowpath.control.config import Config, ConfigError, load
from slowpath.control.config import source as yaml_source
from slowpath.control.discovery.discovery import Discovery, targets_of
from slowpath.control.enforcer import Enforcer, NotInForce
from slowpath.control.report import Change, ProblemRow, Report, listener_rows, pool_rows

_log = logging.getLogger(__name__)

_FIXED = ("fastpath", "source", "metrics", "admin", "access_log")
"""Sections that a reload cannot change."""

_STOPPING = "l7lb is stopping: it takes no changes any more"


class Reloader:
    """Reloads the configuration at `path` when it is asked to, while it runs."""

    def __init__(self, path: Path, enforcer: Enforcer, discovery: Discovery) -> None:
        self.results: Counter[str] = Counter()
        """How many reloads there were of each result (`metrics.RELOAD_RESULTS`)."""
        self._path = path
        self._enforcer, self._discovery = enforcer, discovery
        self._wanted = asyncio.Event()
        self._asked: list[asyncio.Future[Report]] = []
        self._ended = False

    def want(self) -> None:
        """Have a reload made soon."""
        self._wanted.set()

    async def reload(self) -> Report:
        """Have one made, and return what came of it; raises ValueError if L7LB stops instead."""
        if self._ended:
            raise ValueError(_STOPPING)
        answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._wanted.set()
        return await answer

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Reload whenever that is wanted, and follow in `tasks` what comes in force; ends when it is cancelled."""
        answers: list[asyncio.Future[Report]] = []
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                answers, self._asked = self._asked, []
                report = await self._reload(tasks)
                self._tell(report)
                for answer in answers:
                    if not answer.done():
                        answer.set_result(report)
        finally:
            self._ended = True
            for answer in (*answers, *self._asked):
                if not answer.done():
                    answer.set_exception(ValueError(_STOPPING))

    def _tell(self, report: Report) -> None:
        self.results["success" if report.in_force else "failure"] += 1
        if report.in_force:
            _log.info("%s is in force: %s", self._path, _summary(report))
        else:
            reasons = "\n".join([*map(str, report.problems), *filter(None, [report.error])])
            _log.error("the old configuration stays in force:\n%s", reasons)
        systemd.ready()

    async def _reload(self, tasks: asyncio.TaskGroup) -> Report:
        """Put the file in force as a whole, or leave everything as it is."""
        systemd.reloading(time.monotonic())
        before = self._enforcer.parts
        try:
            config = load(self._path)
            self._require_same(before.config, config)
            sources = await self._discovery.sources(config)
        except ConfigError as error:
            return Report(in_force=False, problems=tuple(map(ProblemRow.of, error.problems)))
        targets = targets_of(sources)
        pools = pool_rows(before.config, before.targets, config, targets)
        try:
            await self._enforcer.adopt(config, targets)
        except FastPathError as error:
            reasons = error.listeners if isinstance(error, NotInForce) else {}
            listeners = listener_rows(before.config, config, reasons)
            return Report(in_force=False, error=str(error), listeners=listeners, pools=pools)
        self._discovery.follow(sources, tasks)
        return Report(in_force=True, listeners=listener_rows(before.config, config, {}), pools=pools)

    def _require_same(self, before: Config, after: Config) -> None:
        changed = [section for section in _FIXED if getattr(before, section) != getattr(after, section)]
        if changed:
            source = yaml_source.read(self._path)
            message = "cannot change while l7lb runs: restart it"
            raise ConfigError([source.problem((section,), message) for section in changed])


def _summary(report: Report) -> str:
    """`listeners: 1 added, 2 unchanged; pools: 3 unchanged`."""
    return "; ".join(
        f"{what}: {', '.join(f'{count} {change.value}' for change, count in _counts(rows))}"
        for what, rows in (
            ("listeners", [row.change for row in report.listeners]),
            ("pools", [row.change for row in report.pools]),
        )
    )


def _counts(changes: list[Change]) -> list[tuple[Change, int]]:
    return [(change, changes.count(change)) for change in Change if change in changes]
