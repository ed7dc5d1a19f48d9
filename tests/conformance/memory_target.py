"""The in-memory fast path as a target: the reference that every other one is compared with."""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from fastpath.interface import Closed
from fastpath.memory import MemoryFastPath
from fastpath.profile import HOST, Profile
from fastpath.records import Counters, Flow, Followed, Volume
from fastpath.verdict import Verdict
from tests.conformance.target import ADDRESSES, PORTS, Rules


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the in-memory fast path waited for something")


class Kind(Protocol):
    """MemoryFastPath, or a mutant of it."""

    def __call__(
        self, ports: Collection[int], *, profile: Profile, addresses: Mapping[int, bytes]
    ) -> MemoryFastPath: ...


class MemoryTarget:
    """A fast path in memory behind the suite's trait; time stands still."""

    tells_port = True

    def __init__(self, profile: Profile = HOST, kind: Kind = MemoryFastPath) -> None:
        self.profile = profile
        self._start = partial(kind, PORTS, profile=profile, addresses=ADDRESSES)
        self._path = self._start()

    def program(self, rules: Rules) -> None:
        self._path = self._start()
        finish(self._path.configure(rules.listeners, rules.servers, rules.next_hops))
        finish(self._path.install(rules.splices))
        finish(self._path.set_precedents(rules.precedents))

    def receive(self, port: int, frame: bytes) -> Verdict:
        return self._path.receive(port, frame, now=0.0)

    def inject(self, frame: bytes) -> Verdict:
        return self._path.inject_one(frame)

    def closed(self) -> list[Closed]:
        return self._path.take_batch().closed

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        return self._path.traffic(flows)

    def followed(self, flow: Flow) -> Followed | None:
        return self._path.followed(flow)

    def counters(self) -> Counters:
        return self._path.counters()

    def close(self) -> None:
        finish(self._path.close())
