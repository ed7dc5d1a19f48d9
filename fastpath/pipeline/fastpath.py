"""The contract on top of the P4 program that a switch runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Self

from fastpath import frame as cpu
from fastpath.cpu_port import CpuPort
from fastpath.errors import FastPathError, TableFull, Unavailable
from fastpath.frame import Punt
from fastpath.interface import Batch, Closed, Idle
from fastpath.pause import Pause
from fastpath.pipeline import dimensions
from fastpath.pipeline.counters import SwitchCounters
from fastpath.pipeline.driver import Driver
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.link import Link
from fastpath.pipeline.paths import Paths
from fastpath.pipeline.programming import Programming
from fastpath.pipeline.punts import flow_of
from fastpath.pipeline.rows import CONNECTIONS
from fastpath.pipeline.settings import Settings
from fastpath.pipeline.statistics import Statistics
from fastpath.records import (
    Counters,
    Direction,
    Drop,
    Flow,
    Limits,
    Listener,
    NextHop,
    Pivot,
    Server,
    Splice,
    SynCookies,
    Tuple4,
    Volume,
)
from fastpath.switch.network import Network
from fastpath.switch.station import Station
from fastpath.unlearning import Unlearning
from slowpath.wire.endpoint import Endpoint

_log = logging.getLogger(__name__)

_FRAMES_PER_BATCH = 256
_UPKEEP_PERIOD = 1.0
"""Seconds between two looks at the counters, and at what is not in use any more."""
_COUNTING_SHARE, _LONGEST_COUNTING_PERIOD = 0.05, 5.0
"""Of the time, at most, that is spent on asking for counters where there are thousands; but seconds, lest one slow
answer keep them old for long."""
_NEIGHBOUR_PERIOD = 0.25
"""Seconds between two looks at which neighbours to ask for."""


class PipelineFastPath(Unlearning):
    """A FastPath of the P4 program that `driver` reaches; one task at a time may iterate over `events`.

    While the switch is away, spliced connections go on, `install` and `update` raise Unavailable, and what
    `configure` and `remove` are told takes effect when it is back; its tables are then compared with what should
    be in them.
    """

    def __init__(self, driver: Driver, link: Link, network: Network) -> None:
        """For `begin`."""
        self._driver, self._link, self._network = driver, link, network
        self._paths = Paths(dimensions.path_capacity(driver))
        self._ledger = Ledger(dimensions.sizes(driver), self._paths)
        self._station = Station(network)
        self._routed = self._station.resolved
        self._local: tuple[tuple[bytes, int], ...] = ()
        self._listeners: tuple[Listener, ...] = ()
        self._counters = SwitchCounters(driver)
        self._watch = driver.watch(self._ledger, self._found_idle)
        self._due = asyncio.Event()
        self._settled = asyncio.Event()
        self._programming = Programming(
            driver, network, self._ledger, self._paths, dimensions.capacities(driver), self._upkeep_now
        )
        self._batch = Batch()
        self._withheld = 0
        self._next_count = 0.0
        self._pause = Pause(link.fileno())
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        driver.on_reconnect(self._reconnected)

    @classmethod
    async def take_over(cls, connect: Callable[[], Awaitable[Driver]], cpu_interface: str, network: Network) -> Self:
        """Begin with the driver that `connect` gives; punts come and injected frames go through `cpu_interface`.

        Raises Unavailable, and Rejected for a `network` that cannot be.
        """
        dimensions.check(network)
        async with AsyncExitStack() as stack:
            link = CpuPort(cpu_interface)
            stack.callback(link.close)
            driver = await connect()
            stack.push_async_callback(driver.close)
            fastpath = await cls.begin(driver, link, network)
            stack.pop_all()
            return fastpath

    @classmethod
    async def begin(cls, driver: Driver, link: Link, network: Network) -> Self:
        """A fast path on a driver and a CPU interface, which `close` closes; the program's tables are emptied.

        A splice that the driver finds idle is reported, again and again until it is removed or used. Raises
        Unavailable, and Rejected for a `network` that cannot be.
        """
        dimensions.check(network)
        fastpath = cls(driver, link, network)
        await driver.clear()
        await fastpath._counters.start()
        await driver.add_ports(network)
        await fastpath._programming.reconcile()
        for work in (fastpath._upkeep(), fastpath._find_neighbours(), fastpath._read_ends(), fastpath._watch.run()):
            fastpath._start(work)
        return fastpath

    @property
    def limits(self) -> Limits:
        """What this target can do; SNAT splices share the far smaller table of overrides."""
        capacity = self._driver.size(CONNECTIONS)
        return Limits(capacity, timestamps=False, pivot=Pivot.BIT, ipv6=False, snat=True, answers_syns=False)

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        """Make these the VIPs and servers; `next_hops` are used beside those found by ARP.

        While the server is away they take effect when it is back. Raises Rejected, TableFull, or Unavailable after
        `close`.
        """
        self._require_open()
        settings = Settings(tuple(listeners), tuple(servers), tuple(next_hops))
        await self._programming.configure(settings)
        known = self._vips()
        self._listeners = tuple(listeners)
        self._answer()
        self._station.announce(self._vips() - known)
        self._station.want(settings.neighbours(self._network), time.monotonic())
        self._send_own()

    def answer_for(self, networks: Iterable[tuple[bytes, int]]) -> None:
        """Answer ARP and echo for all addresses in `networks` (packed prefix, length), besides VIPs and ports."""
        self._local = tuple(networks)
        self._answer()

    async def rotate(self, cookies: SynCookies) -> None:
        """Ignored: this target answers no SYNs."""

    async def install(self, splices: Sequence[Splice]) -> None:
        """Add splices. One whose flow is there already is replaced. Raises TableFull, Rejected or Unavailable."""
        self._require_open()
        await self._programming.install(splices, time.monotonic())

    async def update(self, splices: Sequence[Splice]) -> None:
        """Replace splices; one whose pivot alone changes remembers its FINs. Raises as `install`."""
        self._require_open()
        await self._programming.update(splices, time.monotonic())

    async def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices; a flow that is not there is passed over."""
        self._require_open()
        await self._programming.remove(flows)

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        """Remove splices; whatever is not spliced comes to the slow path."""
        await self.remove(flows)

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """None: a switch remembers for a sweep at most that a packet has passed."""
        return None

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        """None for each: a switch counts by server."""
        return [None] * len(flows)

    def inject(self, frames: Iterable[bytes]) -> None:
        """Send frames of `fastpath.frame` in order; one that finds no room is lost and counted as Drop.INJECT.

        Those for a neighbour that is being asked for wait for its answer.
        """
        self._require_open()
        self._link.send([frame for frame in frames if not self._station.hold(frame)])

    async def events(self) -> AsyncIterator[Batch]:
        """Punted frames and reports, one batch at a time; ends after `close`. Raises Unavailable."""
        while not self._closed:
            self._require_tasks()
            batch = await self._take()
            if batch.punts or batch.closed or batch.idle:
                yield batch
                # Others have their turn even while there is always more.
                await asyncio.sleep(0)
            else:
                await self._wait()

    def splices(self) -> Iterable[Splice]:
        """Every splice that is, or as soon as the server is back will be, in the tables."""
        return [record.splice for record in self._ledger]

    def counters(self) -> Counters:
        """A snapshot of the counters, as of a second ago."""
        self._require_open()
        counters = self._counters.snapshot()
        drops = dict(counters.drops)
        drops[Drop.PUNT] += self._link.receive_failures() + self._withheld
        drops[Drop.INJECT] += self._link.send_failures + self._station.frames_lost
        return replace(
            counters,
            drops=drops,
            events_lost=self._driver.lost,
            collisions=self._ledger.collisions,
            reachable=self._driver.connected and self._programming.agreed,
        )

    @property
    def statistics(self) -> Statistics:
        """What only a switch has, now."""
        return Statistics(self._ledger.overrides, self._programming.reconciliations, self._withheld)

    async def refresh(self) -> None:
        """Read the counters now; raises Unavailable."""
        await self._counters.refresh(self._paths)

    async def settled(self) -> None:
        """Wait until the tables are what they should be, and have the routes of all neighbours that are known."""
        # In this order: the connection stands again only after it was noted that there is something to settle.
        await self._driver.wait_connected()
        await self._settled.wait()

    async def close(self) -> None:
        """Empty the tables and leave the switch, which punts every packet from now on; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._pause.close()
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            with suppress(Unavailable):
                await self._programming.end()
        finally:
            self._link.close()
            await self._driver.close()

    # Events

    async def _take(self) -> Batch:
        """What there is at this moment."""
        batch, self._batch = self._batch, Batch()
        now = time.monotonic()
        for raw in self._link.receive(_FRAMES_PER_BATCH):
            with suppress(cpu.BadFrame):
                punt = cpu.decode(raw)
                if not self._station.receive(punt, now) and await self._may_pass(punt, now):
                    batch.punts.append(punt)
        # It may have been closed while a way was cleared.
        if not self._closed:
            self._send_own()
        return batch

    async def _may_pass(self, punt: Punt, now: float) -> bool:
        """Whether the slow path may go on with the connection of `punt`: no record of another one is in its way."""
        flow = flow_of(punt)
        if flow is None or self._ledger.is_clear(flow, now) or await self._programming.clear_way(flow):
            return True
        # The client sends it again. Later packets might be taken for the other connection's.
        self._withheld += 1
        return False

    def _send_own(self) -> None:
        """Send what the station has to say, and see to the neighbours that it has found."""
        self._link.send(self._station.take_frames())
        if self._station.resolved is not self._routed:
            self._upkeep_now()

    async def _read_ends(self) -> None:
        async for ends in self._driver.ends():
            for source, source_port, destination, destination_port, flags in ends:
                packet = Tuple4(_endpoint(source, source_port), _endpoint(destination, destination_port))
                self._batch.closed += self._ledger.ended(packet, flags)
            if self._batch.closed:
                self._pause.end()

    def _found_idle(self, idle: list[Idle]) -> None:
        self._batch.idle += idle
        self._pause.end()

    async def _wait(self) -> None:
        """Wait until there may be something to take."""
        if not self._closed and not self._batch.closed and not self._batch.idle:
            await self._pause.wait()

    # Upkeep

    async def _reconnected(self) -> None:
        self._watch.restart()
        self._programming.disagree("it was away")

    def _upkeep_now(self) -> None:
        self._settled.clear()
        self._due.set()

    async def _upkeep(self) -> None:
        """Keep tables, routes and counters up to date."""
        told = ""
        while True:
            self._due.clear()
            await self._driver.wait_connected()
            try:
                await self._bring_up_to_date()
                told = ""
            except FastPathError as error:
                # Once per reason: it is tried again every second.
                if str(error) != told:
                    _log.warning("the switch is not up to date: %s", error)
                told = str(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_UPKEEP_PERIOD):
                    await self._due.wait()

    async def _bring_up_to_date(self) -> None:
        if not self._programming.agreed:
            await self._driver.add_ports(self._network)
            await self._programming.reconcile()
            self._batch.closed += [Closed(flow, reset=True) for flow in self._ledger.take_lost()]
            self._pause.end()
        resolved = self._station.resolved
        if resolved is not self._routed:
            with suppress(TableFull):
                await self._programming.route(resolved)
            self._routed = resolved
            self._station.routed(resolved)
            self._send_own()
        begun = time.monotonic()
        if begun >= self._next_count:
            await self._programming.tidy(self.refresh)
            await self.refresh()
            taken = time.monotonic() - begun
            pause = min(taken / _COUNTING_SHARE, _LONGEST_COUNTING_PERIOD)
            self._next_count = begun + max(_UPKEEP_PERIOD, pause)
        if not self._due.is_set():
            self._settled.set()

    async def _find_neighbours(self) -> None:
        while True:
            self._station.advance(time.monotonic())
            self._send_own()
            await asyncio.sleep(_NEIGHBOUR_PERIOD)

    # Helpers

    def _answer(self) -> None:
        self._station.answer_for((*((vip, 32) for vip in sorted(self._vips())), *self._local))

    def _vips(self) -> set[bytes]:
        return {listener.endpoint.address for listener in self._listeners}

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._pause.end())
        self._tasks.append(task)

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("this fast path is closed")

    def _require_tasks(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                raise Unavailable("a part of the fast path has failed") from task.exception()


def _endpoint(address: int, port: int) -> Endpoint:
    return Endpoint(address.to_bytes(4, "big"), port)
