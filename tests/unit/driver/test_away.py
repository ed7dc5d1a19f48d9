"""A fast path that takes no splices for a while: connections go on in the slow path, and the log says it once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from random import Random
from typing import cast

import pytest

from fastpath.errors import Unavailable
from fastpath.interface import Closed
from fastpath.memory import MemoryFastPath
from fastpath.records import Flow, Splice
from slowpath.driver import cookies
from slowpath.driver.driver import Driver
from slowpath.health.health import Health
from slowpath.splicing.junction import Junction
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.splicer import Splicer
from slowpath.splicing.statistics import Statistics
from slowpath.wire.endpoint import Endpoint

VIP, SERVER = Endpoint.parse("10.1.0.100:80"), Endpoint.parse("10.2.0.2:80")


class Switch(MemoryFastPath):
    """Its control plane is `away` now and then; `report` makes it say something, so that the driver has a look."""

    def __init__(self) -> None:
        super().__init__([0])
        self.away = False

    async def install(self, splices: Sequence[Splice]) -> None:
        if self.away:
            raise Unavailable("the switch is away")
        await super().install(splices)

    def report(self) -> None:
        self._batch.closed.append(Closed(Flow(VIP, VIP), reset=True))
        self._reported.set()


class Engine:
    """Wants one splice installed for each report, and remembers what became of them."""

    def __init__(self, junctions: Iterable[Junction]) -> None:
        self.statistics = Statistics()
        self.next_deadline = None
        self.fates: list[str] = []
        self._junctions = deque(junctions)
        self._wanted: list[Junction] = []

    def closed(self, report: Closed, now: float) -> None:
        self._wanted.append(self._junctions.popleft())

    def take_outcome(self) -> Outcome:
        wanted, self._wanted = self._wanted, []
        return Outcome(install=wanted)

    def installed(self, junctions: Sequence[Junction], seconds: float, now: float) -> None:
        self.fates += ["installed"] * len(junctions)

    def refused(self, junctions: Sequence[Junction], now: float) -> None:
        self.fates += ["forwarded"] * len(junctions)

    def advance(self, now: float) -> None:
        pass

    def rotate(self, secrets: object) -> None:
        pass


class Join:
    """As much of a Junction as the driver looks at."""

    def __init__(self, port: int) -> None:
        client = Endpoint(bytes((10, 1, 0, 2)), port)
        self.splice = Splice(Flow(client, VIP), SERVER, 0, client, delta=1)


def test_connections_are_forwarded_until_the_fast_path_is_back(caplog: pytest.LogCaptureFixture) -> None:
    fates = asyncio.run(_drive([True, True, False, False, True], caplog))
    assert fates == ["forwarded", "forwarded", "installed", "installed", "forwarded"]
    assert [record.getMessage() for record in caplog.records] == [
        "new connections are forwarded by the slow path: the switch is away",
        "the fast path takes new connections again",
        "new connections are forwarded by the slow path: the switch is away",
    ]


async def _drive(away: list[bool], caplog: pytest.LogCaptureFixture) -> list[str]:
    switch = Switch()
    engine = Engine(cast(Junction, Join(port)) for port in range(1, len(away) + 1))
    health = Health(lambda server: None, Random(0))
    driver = Driver(switch, cast(Splicer, engine), health, cookies.first(), lambda: None)
    with caplog.at_level(logging.INFO):
        running = asyncio.create_task(driver.run())
        for number, state in enumerate(away, 1):
            switch.away = state
            switch.report()
            async with asyncio.timeout(10):
                while len(engine.fates) < number:  # noqa: ASYNC110 - what is waited for has no event
                    await asyncio.sleep(0)
        await switch.close()
        await running
    return engine.fates
