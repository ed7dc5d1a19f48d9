"""The P4 program on a switch as a target, programmed by the real fast path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol

from fastpath.frame import Punt
from fastpath.interface import Closed
from fastpath.pipeline.driver import Driver
from fastpath.profile import SWITCH
from fastpath.records import Counters, Drop, Flow, Followed, Reason, Splice, Traffic, Volume
from fastpath.switch.network import Network, Port
from fastpath.verdict import Dropped, Punted, Sent, Verdict
from tests.conformance.control_plane import ControlPlane, Loop
from tests.conformance.target import ADDRESSES, Rules

NETWORK = Network(tuple(Port(number, mac) for number, mac in ADDRESSES.items()))

FIRST_DROP = 16
"""Where drops begin among the outcomes that the program counts."""
SMALL = {"CONNECTIONS": "4096", "PATHS": "64", "VIPS": "64", "SERVERS": "64", "ROUTES": "64", "NEXT_HOPS": "64"}
"""Sizes that are quick to clear and to read back."""
_OTHER_SERVER = 0xFFFF
_NEVER = 3600.0
"""Seconds: no splice gets idle in a test."""


class Placement(Enum):
    """In which table the splices of a transparent proxy are."""

    CONNECTIONS = auto()
    OVERRIDES = auto()
    """As connections whose digest another one has."""


class Switch(Protocol):
    """What runs the program."""

    cpu_port: int
    """The port to the slow path."""
    reports: int
    """How many ends of connections the program has reported so far."""

    async def connect(self, idle_after: float) -> Driver:
        """The way to its tables, for a fast path that reports splices as idle after `idle_after` seconds."""

    def process(self, port: int, frame: bytes) -> Sequence[tuple[int, bytes]]:
        """Let a frame arrive at a port; returns what leaves, each frame with its port, once all is done with it."""

    def dropped(self) -> Mapping[Drop, int]:
        """How many frames the program has dropped so far."""

    async def close(self) -> None:
        """Release everything; called on the loop that `connect` was called on."""


class P4Target:
    """A switch that runs the program, behind the suite's trait."""

    profile = SWITCH
    tells_port = True

    def __init__(self, switch: Switch, placement: Placement = Placement.CONNECTIONS) -> None:
        """`close` closes `switch`."""
        self._placement = placement
        self._switch = switch
        self._loop = Loop()
        self._plane = self._loop.run(self._begin())
        self._before = Counters()

    def program(self, rules: Rules) -> None:
        if self._placement is Placement.OVERRIDES:
            # VIP and server are of different groups, so no digest is the same in both directions.
            listeners = (replace(listener, servers=frozenset({_OTHER_SERVER})) for listener in rules.listeners)
            rules = replace(rules, listeners=tuple(listeners))
        self._loop.run(self._plane.program(rules))
        self._before = self._loop.run(self._plane.counters())
        self.closed()

    def receive(self, port: int, frame: bytes) -> Verdict:
        return self._give(port, frame)

    def inject(self, frame: bytes) -> Verdict:
        return self._give(self._switch.cpu_port, frame)

    def closed(self) -> list[Closed]:
        return self._loop.run(self._plane.closed(self._switch.reports))

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        return [None] * len(flows)

    def followed(self, flow: Flow) -> Followed | None:
        return None

    def counters(self) -> Counters:
        now = self._loop.run(self._plane.counters())
        return replace(
            now,
            servers={id_: _since(traffic, self._before.servers.get(id_)) for id_, traffic in now.servers.items()},
            punts={reason: count - self._before.punts.get(reason, 0) for reason, count in now.punts.items()},
            drops={reason: count - self._before.drops.get(reason, 0) for reason, count in now.drops.items()},
            events_lost=now.events_lost - self._before.events_lost,
        )

    def close(self) -> None:
        self._loop.run(self._end())
        self._loop.close()

    def install(self, splices: Sequence[Splice]) -> None:
        """Add splices; raises as the fast path does."""
        self._loop.run(self._plane.fastpath.install(splices))

    def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices."""
        self._loop.run(self._plane.fastpath.remove(flows))

    def punt(self, frame: bytes) -> list[Punt]:
        """Let the fast path have a punted frame; returns what it hands to the slow path."""
        return self._loop.run(self._plane.punt(frame))

    async def _begin(self) -> ControlPlane:
        try:
            return await ControlPlane.begin(await self._switch.connect(_NEVER), NETWORK)
        except BaseException:
            await self._switch.close()
            raise

    async def _end(self) -> None:
        await self._plane.close()
        await self._switch.close()

    def _give(self, port: int, frame: bytes) -> Verdict:
        before = self._switch.dropped()
        outputs = self._switch.process(port, frame)
        drops = [drop for drop, count in self._switch.dropped().items() if count > before[drop]]
        if not outputs:
            (drop,) = drops
            return Dropped(drop)
        assert not drops
        ((port, out),) = outputs
        return Punted(Reason(out[1]), out) if port == self._switch.cpu_port else Sent(port, out)


def _since(now: tuple[Traffic, Traffic], before: tuple[Traffic, Traffic] | None) -> tuple[Traffic, Traffic]:
    if before is None:
        return now
    up, down = (Traffic(new.packets - old.packets, new.bytes - old.bytes) for new, old in zip(now, before, strict=True))
    return up, down
