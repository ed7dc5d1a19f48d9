"""What the driver does as time passes, and in which order."""

from __future__ import annotations

import asyncio
from typing import cast

from fastpath.memory import MemoryFastPath
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
