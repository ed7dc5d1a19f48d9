"""The driver: batches from the fast path through the splicing engine and back, and the passing of time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from fastpath import frame
from fastpath.errors import FastPathError, TableFull
from fastpath.frame import Action, InjectFlags
from fastpath.interface import FastPath
from fastpath.records import Listener, Server, SynCookies
from slowpath.driver import cookies as cookie_secrets
from slowpath.driver.arrivals import Arrivals
from slowpath.health.health import Health
from slowpath.splicing.junction import Junction
from slowpath.splicing.splicer import Splicer
from slowpath.wire import tcp
from slowpath.wire.tcp import Segment

_log = logging.getLogger(__name__)

_BETWEEN_TICKS = 0.01
"""Seconds, at least: deadlines may be late by that, as thousands of connections have thousands of them a second."""


class Driver:
    """Runs a splicer and the health checks on a fast path.

    `on_learned` is called when a probe has learned something new of a server (`Health.take_learned`).
    """

    def __init__(
        self,
        fastpath: FastPath,
        splicer: Splicer,
        health: Health,
        cookies: SynCookies,
        on_learned: Callable[[], None],
    ) -> None:
        self._fastpath = fastpath
        self._splicer = splicer
        self._health = health
        self._arrivals = Arrivals(splicer, self._probe)
        self._cookies = cookies
        self._on_learned = on_learned
        self._timer: asyncio.TimerHandle | None = None
        self._armed = float("inf")
        self._ticked = 0.0
        """When deadlines were last looked at."""
        self._due = asyncio.Event()
        self._refusing = False
        """Whether the fast path takes no splices at the moment, whatever the room in it."""

    async def run(self) -> None:
        """Drive until the fast path closes; raises an exception group with a FastPathError when that fails."""
        async with asyncio.TaskGroup() as tasks:
            others = [tasks.create_task(self._rotate()), tasks.create_task(self._keep_time())]
            async for batch in self._fastpath.events():
                self._arrivals.take(batch, time.monotonic())
                await self._apply()
            for task in others:
                task.cancel()

    async def configure(self, listeners: Sequence[Listener], servers: Sequence[Server]) -> None:
        """Program the fast path's tables, and look at the probes at once."""
        await self._fastpath.configure(listeners, servers, ())
        await self._tick()

    def wake(self) -> None:
        """Look soon at what is due: there may be new probes."""
        self._due.set()

    async def end_log(self) -> None:
        """Have the access log told of the connections that are still open: the balancer stops."""
        self._splicer.log_open(time.monotonic())
        await self._apply()

    def _probe(self, segment: Segment, now: float) -> bool:
        """Give a segment to the probe that it belongs to; False if there is none."""
        replies = self._health.receive(segment, now)
        if replies is None:
            return False
        self._inject_probes(replies)
        self._splicer.revive(now)
        return True

    def _inject_probes(self, segments: Sequence[Segment]) -> None:
        frames = [
            frame.encode(tcp.build(segment), Action.ROUTE, flags=InjectFlags.EXPECT_REPLY) for segment in segments
        ]
        self._splicer.statistics.packets_out += len(frames)
        self._fastpath.inject(frames)
        if self._health.take_learned():
            self._on_learned()

    async def _apply(self) -> None:
        """Do what the engine wants done: once per batch, whatever the number of packets in it."""
        if self._health.take_changed():
            self._splicer.revoke_precedents()
        while outcome := self._splicer.take_outcome():
            if outcome.revoke:
                await self._fastpath.revoke_precedents()
            if outcome.ended:
                carried = self._fastpath.traffic([settlement.flow for settlement in outcome.ended])
                self._splicer.settle(outcome.ended, carried)
            if outcome.remove:
                await self._fastpath.remove(outcome.remove)
            if outcome.update:
                await self._update(outcome.update)
            if outcome.precedents:
                await self._fastpath.set_precedents(outcome.precedents)
            if outcome.admissions:
                await self._fastpath.set_admissions(outcome.admissions)
            if outcome.frames:
                self._fastpath.inject(outcome.frames)
            if outcome.withdraw:
                await self._fastpath.withdraw(outcome.withdraw)
            if outcome.farewells:
                self._fastpath.inject(outcome.farewells)
            if outcome.install:
                await self._install(outcome.install)
        self._arm()

    async def _update(self, junctions: Sequence[Junction]) -> None:
        try:
            await self._fastpath.update([junction.splice for junction in junctions])
        except FastPathError:
            # One may have ended meanwhile. Where a pivot stays behind, what is past it is punted, and injected again.
            if len(junctions) > 1:
                for junction in junctions:
                    await self._update([junction])

    async def _install(self, junctions: Sequence[Junction]) -> None:
        started = time.monotonic()
        try:
            await self._fastpath.install([junction.splice for junction in junctions])
        except TableFull:
            if len(junctions) > 1:
                for junction in junctions:
                    await self._install([junction])
                return
            self._splicer.refused(junctions, time.monotonic())
        except FastPathError as error:
            if not self._refusing:
                _log.error("new connections are forwarded by the slow path: %s", error)
            self._refusing = True
            self._splicer.refused(junctions, time.monotonic())
        else:
            if self._refusing:
                _log.info("the fast path takes new connections again")
            self._refusing = False
            now = time.monotonic()
            self._splicer.installed(junctions, now - started, now)

    # Time

    def _arm(self) -> None:
        deadline, health = self._splicer.next_deadline, self._health.next_deadline
        if deadline is None or (health is not None and health < deadline):
            deadline = health
        if deadline is None:
            return
        deadline = max(deadline, self._ticked + _BETWEEN_TICKS)
        if self._timer is not None and self._armed <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = asyncio.get_running_loop().call_later(max(deadline - time.monotonic(), 0), self._due.set)

    async def _keep_time(self) -> None:
        try:
            while True:
                self._timer = None
                await self._tick()
                await self._due.wait()
                self._due.clear()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _tick(self) -> None:
        self._ticked = now = time.monotonic()
        # First, as somebody may wait for a server that can be used again.
        self._inject_probes(self._health.advance(now))
        try:
            self._splicer.advance(now)
        except Exception:
            # As with packets. The others that are due have their turn in the next tick, which follows at once.
            _log.exception("a timeout was not dealt with")
            self._splicer.statistics.drops["defect"] += 1
        await self._apply()

    async def _rotate(self) -> None:
        while True:
            await self._fastpath.rotate(self._cookies)
            self._splicer.rotate(self._cookies)
            await asyncio.sleep(cookie_secrets.EPOCH_SECONDS)
            self._cookies = cookie_secrets.next_epoch(self._cookies)
