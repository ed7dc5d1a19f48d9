"""The running application: everything put together, until SIGTERM."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from fastpath.errors import FastPathError
from fastpath.interface import FastPath
from slowpath.control import exporter, inspection, logs, systemd
from slowpath.control.admin import AdminError, AdminServer, Handler
from slowpath.control.assembly import Assembler, sources
from slowpath.control.config import Config, ConfigError, Problem, load
from slowpath.control.exporter import ExporterError
from slowpath.control.fastpaths import open_fastpath
from slowpath.control.host import Host
from slowpath.control.metrics import Snapshot
from slowpath.driver import cookies as cookie_secrets
from slowpath.driver.driver import Driver
from slowpath.health.prober import Prober
from slowpath.splicing.splicer import Splicer

_log = logging.getLogger(__name__)

_FIXED = ("fastpath", "source", "metrics", "admin")
"""Sections that a reload cannot change."""

_DRAIN_POLL = 0.1


def run(path: Path) -> int:
    """Balance by the configuration at `path` until SIGTERM or SIGINT; returns the exit status. Raises ConfigError."""
    logs.set_up()
    config = load(path)
    status = 0
    try:
        uvloop.run(_serve(path, config))
    except* (FastPathError, AdminError, ExporterError) as group:
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


@contextmanager
def _tolerated(consequence: str) -> Iterator[None]:
    """Log what the fast path refuses, and go on."""
    try:
        yield
    except FastPathError as error:
        _log.error("%s: %s", consequence, error)


class Application:
    """One instance of the balancer on an open fast path."""

    def __init__(
        self, path: Path, config: Config, fastpath: FastPath, host: Host, handlers: dict[str, Handler]
    ) -> None:
        """`handlers` get the answers to admin commands once there are any."""
        self._path = path
        self._handlers = handlers
        self._fastpath, self._host = fastpath, host
        self._assembler = Assembler(fastpath.limits, Random())
        self._parts = self._assembler.assemble(config)
        self._started = time.monotonic()
        self._reloads: Counter[str] = Counter()
        cookies = cookie_secrets.first()
        self._splicer = Splicer(self._parts.services, sources(config), cookies)
        self._prober = Prober(host.source_address, Random())
        self._prober.assign(self._parts.probes)
        self._learned = asyncio.Event()
        self._driver = Driver(fastpath, self._splicer, self._prober, cookies, self._learned.set)

        self._stopping = asyncio.Event()
        self._reload_wanted = asyncio.Event()

    async def serve(self, stack: AsyncExitStack) -> None:
        """Start, balance, and stop on a signal; raises FastPathError when the fast path fails."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_wanted.set)
        # A switch has to find its servers before the first probe can leave.
        await self._driver.configure((), self._parts.servers)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._driver.run())
            await self._start(stack)
            upkeep = tasks.create_task(self._upkeep())
            await self._stopping.wait()
            systemd.stopping()
            _log.info("stopping: no new connections, %d open ones may end", self._splicer.connection_count)
            upkeep.cancel()
            await self._drain()
            running.cancel()

    async def _start(self, stack: AsyncExitStack) -> None:
        """Learn the servers' health and options, then open: no client meets a balancer that knows no server."""
        while not self._parts.all_checked:
            self._learned.clear()
            await self._learned.wait()
        await self._open()
        config = self._parts.config
        if config.metrics is not None:
            stack.callback(exporter.start(config.metrics, self._snapshot).close)
        for service in self._parts.services:
            _log.info("listener %s on %s offers %s", service.name, service.endpoint, service.offer)
        self._handlers |= {"status": self._status, "connections": self._connections}
        systemd.ready()
        _log.info("ready")

    async def _open(self) -> None:
        """Program listeners and servers as they are now."""
        config = self._parts.config
        vips = [f"{ipaddress.ip_address(service.endpoint.address)}/32" for service in self._parts.services]
        snat = [str(network) for network in config.source.snat] if config.source is not None else []
        await self._host.answer_for(vips + snat)
        self._parts.refresh_offers(self._fastpath.limits)
        await self._driver.configure(self._parts.listeners, self._parts.servers)

    async def _drain(self) -> None:
        """Refuse new connections, and let the others end."""
        self._splicer.replace(())
        closed = [replace(listener, offer=None) for listener in self._parts.listeners]
        with _tolerated("the fast path still takes new connections, and the slow path refuses them"):
            await self._driver.configure(closed, self._parts.servers)
        deadline = time.monotonic() + self._parts.config.timeouts.drain
        while self._splicer.connection_count and time.monotonic() < deadline:  # noqa: ASYNC110 - too rare for an event
            await asyncio.sleep(_DRAIN_POLL)

    async def _upkeep(self) -> None:
        """Follow the servers' options, and reload when asked to."""
        learned = asyncio.create_task(self._learned.wait())
        reload = asyncio.create_task(self._reload_wanted.wait())
        while True:
            await asyncio.wait((learned, reload), return_when=asyncio.FIRST_COMPLETED)
            if reload.done():
                self._reload_wanted.clear()
                reload = asyncio.create_task(self._reload_wanted.wait())
                await self._reload()
            if learned.done():
                self._learned.clear()
                learned = asyncio.create_task(self._learned.wait())
                if self._parts.refresh_offers(self._fastpath.limits):
                    with _tolerated("the fast path keeps the listeners and servers that it has"):
                        await self._open()

    async def _reload(self) -> None:
        systemd.reloading(time.monotonic())
        try:
            config = load(self._path)
            self._require_same(config)
            await self._replace(config)
        except (ConfigError, FastPathError) as error:
            self._reloads["failure"] += 1
            _log.error("the old configuration stays in force:\n%s", error)
        else:
            self._reloads["success"] += 1
            _log.info("%s is in force", self._path)
        systemd.ready()

    async def _replace(self, config: Config) -> None:
        before = self._parts.config
        try:
            await self._adopt(config)
        except FastPathError:
            await self._adopt(before)
            raise

    async def _adopt(self, config: Config) -> None:
        self._parts = self._assembler.assemble(config)
        self._prober.assign(self._parts.probes)
        self._splicer.replace(self._parts.services)
        await self._open()
        self._assembler.settle(self._parts)

    def _require_same(self, config: Config) -> None:
        for section in _FIXED:
            if getattr(config, section) != getattr(self._parts.config, section):
                raise ConfigError([Problem(self._path, 1, section, "cannot change while l7lb runs: restart it")])

    # What others ask

    async def _status(self, arguments: dict[str, Any]) -> object:
        return inspection.status(self._parts, self._splicer, self._fastpath, self._started).to_json()

    async def _connections(self, arguments: dict[str, Any]) -> object:
        return [row.to_json() for row in inspection.connections(self._splicer)]

    def _snapshot(self) -> Snapshot:
        return inspection.snapshot(self._parts, self._splicer, self._fastpath, self._host, self._reloads)
