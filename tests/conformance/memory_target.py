"""The in-memory fast path as a target: the reference that every other one is compared with."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from fastpath.interface import Closed
from fastpath.memory import MemoryFastPath
from fastpath.records import Counters
from fastpath.verdict import Verdict
from tests.conformance.target import PORTS, Rules


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the in-memory fast path waited for something")


class MemoryTarget:
    """A MemoryFastPath, or a mutant of it, behind the suite's trait; time stands still."""

    tells_port = True

    def __init__(self, kind: type[MemoryFastPath] = MemoryFastPath) -> None:
        self._kind = kind
        self._path = kind(PORTS)

    def program(self, rules: Rules) -> None:
        self._path = self._kind(PORTS)
        finish(self._path.configure(rules.listeners, rules.servers, rules.next_hops))
        finish(self._path.install(rules.splices))

    def receive(self, port: int, frame: bytes) -> Verdict:
        return self._path.receive(port, frame, now=0.0)

    def inject(self, frame: bytes) -> Verdict:
        return self._path.inject_one(frame)

    def closed(self) -> list[Closed]:
        return self._path.take_batch().closed

    def counters(self) -> Counters:
        return self._path.counters()

    def close(self) -> None:
        finish(self._path.close())
