"""What the driver does as time passes, and in which order."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Mapping
from typing import cast

import pytest

from fastpath.memory import MemoryFastPath
from fastpath.records import SynCookies
from slowpath.driver import cookies
from slowpath.driver.driver import Driver
from slowpath.health.health import Health
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.splicer import Splicer
from slowpath.splicing.statistics import Statistics
from slowpath.wire.tcp import Segment


class Parts:
    """Stands for the health checks and the engine, and notes whose turn it was."""

    next_deadline = None

    def __init__(self) -> None:
        self.statistics = Statistics()
        self.turns: list[str] = []

    def take_learned(self) -> bool:
        return False

    def take_changed(self) -> bool:
        return False

    def take_outcome(self) -> Outcome:
        return Outcome()


class Checks(Parts):
    """The one."""

    def advance(self, now: float) -> list[Segment]:
        self.turns.append("health")
        return []


class Engine(Parts):
    """The other; its turns are those of `checks`, too."""

    def __init__(self, checks: Checks) -> None:
        super().__init__()
        self.turns = checks.turns

    def advance(self, now: float) -> None:
        self.turns.append("engine")


def test_those_who_wait_for_a_server_go_on_as_soon_as_it_is_back() -> None:
    checks = Checks()
    engine = cast(Splicer, Engine(checks))
    driver = Driver(MemoryFastPath([0]), engine, cast(Health, checks), cookies.first(), lambda: None)
    asyncio.run(driver.configure([], []))
    assert checks.turns == ["health", "engine"]


class Clock(selectors.SelectSelector):
    """An event loop's selector that lets as much time pass as it is to wait, and takes none for it."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class Timed(Engine):
    """An engine with deadlines at these moments, which notes when each of them had its turn."""

    def __init__(self, deadlines: list[float], clock: Clock) -> None:
        super().__init__(Checks())
        self.left = deadlines
        self.late: dict[float, float] = {}

    def rotate(self, cookies: SynCookies) -> None:
        pass

    @property
    def next_deadline(self) -> float | None:  # type: ignore[override]
        return self.left[0] if self.left else None

    def advance(self, now: float) -> None:
        super().advance(now)
        while self.left and self.left[0] <= now:
            deadline = self.left.pop(0)
            self.late[deadline] = now - deadline


def late(deadlines: list[float], monkeypatch: pytest.MonkeyPatch) -> tuple[Mapping[float, float], int]:
    """How late the turn of each deadline was, and how often the engine had its turn."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    engine = Timed(sorted(deadlines), clock)
    fastpath = MemoryFastPath([0])
    health = cast(Health, Checks())
    driver = Driver(fastpath, cast(Splicer, engine), health, cookies.first(), lambda: None)

    async def run() -> None:
        running = asyncio.create_task(driver.run())
        await asyncio.sleep(10.0)
        await fastpath.close()
        await running

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(clock)) as runner:
        runner.run(run())
    return engine.late, engine.turns.count("engine")


def test_a_deadline_that_stands_alone_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lateness, _ = late([1000.5, 1001.0, 1003.25], monkeypatch)
    assert list(lateness.values()) == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_deadlines_in_great_numbers_share_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines = [1000.5 + number / 4096 for number in range(4096)]
    lateness, ticks = late(deadlines, monkeypatch)
    assert sorted(lateness) == deadlines
    assert all(0.0 <= each <= 0.0101 for each in lateness.values())
    assert ticks <= 110
