"""The running application: everything put together, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import uvloop

from fastpath.errors import FastPathError
from fastpath.interface import FastPath
from slowpath.control import access_logs, exporter, logs, systemd
from slowpath.control.admin import AdminError, AdminServer, Handler
from slowpath.control.assembly import sources
from slowpath.control.commands import Commands
from slowpath.control.config import Config, ConfigError, load
from slowpath.control.discovery.discovery import Discovery, targets_of
from slowpath.control.discovery.names import Resolver, system_resolver
from slowpath.control.enforcer import Enforcer
from slowpath.control.exporter import ExporterError
from slowpath.control.fastpaths import open_fastpath
from slowpath.control.host import Host
from slowpath.control.inspection import Inspector
from slowpath.control.reloading import Reloader
from slowpath.driver import cookies as cookie_secrets
from slowpath.driver.driver import Driver
from slowpath.health.health import Health
from slowpath.splicing.splicer import Splicer

_log = logging.getLogger(__name__)

_DRAIN_POLL = 0.1
_COLLECTION = (50_000, 20, 20)
"""Objects that are new since the last search for cycles among them, and how many such searches make a deeper one."""


def run(path: Path) -> int:
    """Balance by the configuration at `path` until SIGTERM or SIGINT; returns the exit status. Raises ConfigError."""
    logs.set_up()
    config = load(path)
    status = 0
    try:
        uvloop.run(_serve(path, config))
    except* (ConfigError, FastPathError, AdminError, ExporterError) as group:
        for error in _leaves(group):
            _log.error("%s", error)
        status = 1
    return status


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    """The errors in a group of groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _serve(path: Path, config: Config) -> None:
    async with AsyncExitStack() as stack:
        handlers: dict[str, Handler] = {}
        admin = AdminServer(config.admin, handlers)
        await admin.start()
        stack.push_async_callback(admin.close)
        fastpath, host = await open_fastpath(config)
        stack.push_async_callback(fastpath.close)
        stack.push_async_callback(host.close)
        await Application(path, config, fastpath, host, handlers).serve(stack)


class Application:
    """One instance of the balancer on an open fast path."""

    def __init__(
        self,
        path: Path,
        config: Config,
        fastpath: FastPath,
        host: Host,
        handlers: dict[str, Handler],
        resolver: Resolver = system_resolver,
    ) -> None:
        """`handlers` get the answers to admin commands once there are any."""
        self._config = config
        self._handlers = handlers
        self._fastpath, self._host = fastpath, host
        cookies = cookie_secrets.first()
        self._health = Health(host.source_address, Random())
        self._access_log = access_logs.start(config.access_log, Random().random)
        self._splicer = Splicer((), sources(config), cookies, self._health, fastpath, self._access_log)
        self._driver = Driver(fastpath, self._splicer, self._health, cookies, self._learned)
        self._enforcer = Enforcer(config, fastpath, host, self._splicer, self._health, self._driver)
        self._discovery = Discovery(resolver, self._enforcer.repopulate)
        self._reloader = Reloader(path, self._enforcer, self._discovery)
        self._stopping = asyncio.Event()

    async def serve(self, stack: AsyncExitStack) -> None:
        """Start, balance, and stop on a signal; raises FastPathError when the fast path fails."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reloader.want)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen_log)
        if self._access_log is not None:
            stack.callback(self._access_log.close)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._driver.run())
            working = tasks.create_task(self._work(stack))
            await self._stopping.wait()
            systemd.stopping()
            _log.info("stopping: no new connections, %d open ones may end", self._splicer.connection_count)
            working.cancel()
            await self._drain()
            await self._driver.end_log()
            running.cancel()

    async def _work(self, stack: AsyncExitStack) -> None:
        """Open, then follow whatever may change; ends when it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            found = await self._discovery.sources(self._config)
            await self._enforcer.adopt(self._config, targets_of(found))
            self._discovery.follow(found, tasks)
            tasks.create_task(self._enforcer.follow())
            self._tell(stack)
            await self._reloader.run(tasks)

    def _tell(self, stack: AsyncExitStack) -> None:
        """Say that we are ready, and answer whoever asks."""
        inspector = Inspector(
            self._enforcer,
            self._discovery,
            self._reloader,
            self._splicer,
            self._fastpath,
            self._health,
            self._host,
            self._access_log,
        )
        if self._config.metrics is not None:
            stack.callback(exporter.start(self._config.metrics, inspector.snapshot).close)
        for service in self._enforcer.parts.services:
            _log.info("listener %s on %s offers %s", service.name, service.endpoint, service.offer)
        self._handlers |= Commands(self._enforcer, self._reloader, inspector).handlers
        # What is here stays, and connections leave no cycles: to look for some is a fifth of what a connection costs.
        gc.freeze()
        gc.set_threshold(*_COLLECTION)
        systemd.ready()
        _log.info("ready")

    async def _drain(self) -> None:
        """Refuse new connections, and let the others end."""
        await self._enforcer.stop()
        deadline = time.monotonic() + self._enforcer.parts.config.timeouts.drain
        while self._splicer.connection_count and time.monotonic() < deadline:  # noqa: ASYNC110 - too rare for an event
            await asyncio.sleep(_DRAIN_POLL)

    def _reopen_log(self) -> None:
        if self._access_log is not None:
            self._access_log.reopen()

    def _learned(self) -> None:
        self._enforcer.learned()
