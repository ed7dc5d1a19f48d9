"""Putting parts in force: on the host, in the fast path, in the engine. One change at a time, all of it or nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from fastpath.errors import FastPathError
from fastpath.interface import FastPath
from fastpath.records import Listener, Server
from slowpath.control.assembly import Assembler, Parts
from slowpath.control.config import Config
from slowpath.control.discovery.targets import Target, Targets
from slowpath.control.host import Host
from slowpath.control.roster import Enlisted, Entry, Roster
from slowpath.driver.driver import Driver
from slowpath.health.health import Health
from slowpath.splicing.splicer import Splicer

_log = logging.getLogger(__name__)


class NotInForce(FastPathError):
    """The fast path has refused a change; what was in force before still is.

    `listeners` holds by name why one is refused even if it is the only change.
    """

    def __init__(self, error: FastPathError, listeners: Mapping[str, str]) -> None:
        named = [f"listener {name}: {why}" for name, why in listeners.items()]
        super().__init__("; ".join(named) or str(error))
        self.listeners = listeners


class Enforcer:
    """Holds the parts in force: none at first."""

    def __init__(
        self, config: Config, fastpath: FastPath, host: Host, splicer: Splicer, health: Health, driver: Driver
    ) -> None:
        self.parts = Parts(config, services=(), pools={}, targets={}, enlisted={})
        self._limits = fastpath.limits
        self._assembler = Assembler(fastpath.limits, Random())
        self._host, self._splicer, self._health, self._driver = host, splicer, health, driver
        self._changing = asyncio.Lock()
        self._learned = asyncio.Event()
        self._checked = asyncio.Event()

    @property
    def roster(self) -> Roster:
        """Every server, also those that leave."""
        return self._assembler.roster

    def learned(self) -> None:
        """Take notice that something new is known of a server."""
        self._learned.set()
        self._checked.set()

    async def adopt(self, config: Config, targets: Targets) -> None:
        """Put a configuration in force, with the servers of each of its pools; raises FastPathError.

        That takes until the first probe of each new server has ended: no client is sent to a server of unknown health.
        """
        async with self._changing:
            await self._adopt(self._assembler.assemble(config, targets))

    async def repopulate(self, pool: str, targets: Sequence[Target]) -> None:
        """Change the servers of one pool, if it is still there; raises as `adopt`."""
        async with self._changing:
            if pool in self.parts.pools:
                await self._adopt(self._assembler.repopulate(self.parts, pool, targets))

    async def follow(self) -> None:
        """Offer clients what the servers have, whenever that changes; ends when it is cancelled."""
        while True:
            await self._learned.wait()
            self._learned.clear()
            async with self._changing:
                if self.parts.refresh_offers(self._limits):
                    with _tolerated("the fast path keeps the listeners and servers that it has"):
                        await self._program(self.parts)

    async def stop(self) -> None:
        """Refuse new connections; after this there are no changes."""
        async with self._changing:
            self._splicer.replace(())
            closed = [replace(listener, offer=None) for listener in self.parts.listeners]
            with _tolerated("the fast path still takes new connections, and the slow path refuses them"):
                await self._driver.configure(closed, self._servers(self.parts))

    def set_drained(self, entries: Iterable[Entry], drained: bool) -> None:
        """Keep new connections away from servers, or let them come again."""
        for entry in entries:
            entry.drained = drained
            entry.apply()
        self._changed()

    def set_weight(self, entries: Iterable[Entry], weight: int | None) -> None:
        """Give servers another weight than that of the configuration, or that one again."""
        for entry in entries:
            entry.weight = weight
            entry.apply()
            self._assembler.populate(self.parts, entry.pool)
        self._changed()

    def _changed(self) -> None:
        """Members have become usable, or unusable."""
        self._health.refresh()
        self._splicer.revoke_precedents()
        self._splicer.revive(time.monotonic())
        self._driver.wake()

    async def _adopt(self, parts: Parts) -> None:
        try:
            await self._acquaint(parts)
            parts.refresh_offers(self._limits)
            await self._program(parts)
        except FastPathError as error:
            reasons = await self._diagnose(parts)
            await self._restore()
            raise NotInForce(error, reasons) from error
        self.parts = parts
        self._assembler.enforce(parts)
        self._splicer.replace(parts.services)
        self._health.assign(parts.probes)
        self._health.look_after(parts.pool_health)
        self._changed()

    async def _acquaint(self, parts: Parts) -> None:
        """Learn the health and the options of servers that are new."""
        new = [each for each in parts.everyone if not each.entry.probe.checked]
        if not new:
            return
        # A switch has to find its servers before the first probe can leave.
        await self._driver.configure(self.parts.listeners, self._servers(self.parts, new))
        self._health.assign([*self.parts.probes, *(each.entry.probe for each in new)])
        self._driver.wake()
        while not all(each.entry.probe.checked for each in new):
            self._checked.clear()
            await self._checked.wait()

    async def _program(self, parts: Parts) -> None:
        await self._host.answer_for(_networks(parts))
        await self._driver.configure(parts.listeners, self._servers(parts))

    async def _restore(self) -> None:
        self._health.assign(self.parts.probes)
        self.parts.refresh_offers(self._limits)
        with _tolerated("the fast path did not take back what was in force before"):
            await self._program(self.parts)

    async def _diagnose(self, parts: Parts) -> dict[str, str]:
        """Why listeners are refused that are new or changed, each tried alone beside those in force."""
        reasons: dict[str, str] = {}
        for service, listener in zip(parts.services, parts.listeners, strict=True):
            if listener in self.parts.listeners:
                continue
            beside = [other for other in self.parts.listeners if other.endpoint != listener.endpoint]
            its_own = [each for name in service.pools for each in parts.enlisted[name]]
            try:
                await self._host.answer_for([*_networks(self.parts), _network(listener)])
                await self._driver.configure([*beside, listener], self._servers(self.parts, its_own))
            except FastPathError as error:
                reasons[service.name] = str(error)
        return reasons

    def _servers(self, parts: Parts, more: Iterable[Enlisted] = ()) -> list[Server]:
        """Those of `parts`, `more`, those in force until now, which may get connections yet, and those that leave."""
        everyone = [*parts.everyone, *more, *self.parts.everyone]
        members = {each.member.id: each.member for each in everyone}
        members |= {entry.member.id: entry.member for entry in self.roster.leaving(everyone)}
        return [Server(number, member.endpoint) for number, member in members.items()]


def _networks(parts: Parts) -> list[str]:
    """What the host has to answer for."""
    snat = parts.config.source.snat if parts.config.source is not None else ()
    return [_network(listener) for listener in parts.listeners] + [str(network) for network in snat]


def _network(listener: Listener) -> str:
    return str(ipaddress.ip_network(listener.endpoint.address))


@contextmanager
def _tolerated(consequence: str) -> Iterator[None]:
    """Log what the fast path refuses, and go on."""
    try:
        yield
    except FastPathError as error:
        _log.error("%s: %s", consequence, error)
