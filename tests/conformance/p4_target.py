"""The P4 program in `p4model` as a target, programmed by the real fast path through the real BfRt service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

import p4_tofino
from fastpath.frame import Punt
from fastpath.interface import Closed
from fastpath.profile import SWITCH
from fastpath.records import Counters, Drop, Flow, Reason, Splice, Traffic
from fastpath.switch.network import Network, Port
from fastpath.verdict import Dropped, Punted, Sent, Verdict
from p4model.device import Device
from p4model.program import Program, compile_program
from slowpath.wire.endpoint import Endpoint
from tests.conformance.switch_driver import Driver, Loop
from tests.conformance.target import ADDRESSES, Rules

NETWORK = Network(tuple(Port(number, mac) for number, mac in ADDRESSES.items()))

_FIRST_DROP = 16
"""Where drops begin among the outcomes that the program counts."""
_OTHER_SERVER = 0xFFFF
SMALL = {"CONNECTIONS": "4096", "PATHS": "64", "VIPS": "64", "SERVERS": "64", "ROUTES": "64", "NEXT_HOPS": "64"}
"""Sizes that are quick to clear and to read back."""


class Chip(Enum):
    """What the program is compiled for: __TARGET_TOFINO__, and the port to the slow path (p4_tofino/sizes.p4)."""

    TOFINO = "1", 64
    TOFINO2 = "2", 2

    def __init__(self, target: str, cpu_port: int) -> None:
        self.target, self.cpu_port = target, cpu_port


class Placement(Enum):
    """In which table the splices of a transparent proxy are."""

    CONNECTIONS = auto()
    OVERRIDES = auto()
    """As connections whose digest another one has."""


def compiled(
    chip: Chip = Chip.TOFINO, sizes: Mapping[str, str] = SMALL, overlay: Mapping[Path, str] | None = None
) -> Program:
    """The program as shipped, or with the texts of `overlay` in the place of its files."""
    defines = {**sizes, "__TARGET_TOFINO__": chip.target}
    return compile_program(p4_tofino.TOFINO, include=[p4_tofino.DIRECTORY], defines=defines, overlay=overlay)


class P4Target:
    """A device that runs the program, behind the suite's trait."""

    profile = SWITCH
    tells_port = True

    def __init__(
        self, program: Program, placement: Placement = Placement.CONNECTIONS, chip: Chip = Chip.TOFINO
    ) -> None:
        self._placement = placement
        self._cpu_port = chip.cpu_port
        self._device = Device(program)
        state = self._device.state
        (self._outcomes,) = (counter for name, counter in state.counters.items() if name.endswith(".outcomes"))
        (self._seen,) = (register for name, register in state.registers.items() if name.endswith(".seen"))
        self._digests = 0
        self._loop = Loop()
        self._driver = self._loop.run(Driver.open(self._device, NETWORK))
        self._before = Counters()

    def program(self, rules: Rules) -> None:
        if self._placement is Placement.OVERRIDES:
            # VIP and server are of different groups, so no digest is the same in both directions.
            listeners = (replace(listener, servers=frozenset({_OTHER_SERVER})) for listener in rules.listeners)
            rules = replace(rules, listeners=tuple(listeners))
        self._loop.run(self._driver.program(rules))
        self._before = self._loop.run(self._driver.counters())
        self.closed()

    def receive(self, port: int, frame: bytes) -> Verdict:
        return self._give(port, frame)

    def inject(self, frame: bytes) -> Verdict:
        return self._give(self._cpu_port, frame)

    def closed(self) -> list[Closed]:
        return self._loop.run(self._driver.closed(self._digests))

    def counters(self) -> Counters:
        now = self._loop.run(self._driver.counters())
        return replace(
            now,
            servers={id_: _since(traffic, self._before.servers.get(id_)) for id_, traffic in now.servers.items()},
            punts={reason: count - self._before.punts.get(reason, 0) for reason, count in now.punts.items()},
            drops={reason: count - self._before.drops.get(reason, 0) for reason, count in now.drops.items()},
            events_lost=now.events_lost - self._before.events_lost,
        )

    def close(self) -> None:
        self._loop.run(self._driver.close())
        self._loop.close()

    def install(self, splices: Sequence[Splice]) -> None:
        """Add splices; raises as the fast path does."""
        self._loop.run(self._driver.fastpath.install(splices))

    def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices."""
        self._loop.run(self._driver.fastpath.remove(flows))

    def punt(self, frame: bytes) -> list[Punt]:
        """Let the fast path have a punted frame; returns what it hands to the slow path."""
        return self._loop.run(self._driver.punt(frame))

    def seen(self) -> set[int]:
        """The bits of the register `seen` that have been set since the last call."""
        words = ((index, self._seen.read(index)[0]) for index in range(self._seen.info.size))
        bits = {index << 5 | bit for index, word in words if word for bit in range(32) if word >> bit & 1}
        self._seen.clear()
        return bits

    def group(self, table: str, endpoint: Endpoint) -> int:
        """The group that `vips` or `servers` has for `endpoint`."""
        (found,) = (one for name, one in self._device.state.tables.items() if name.endswith(f".{table}"))
        is_there, _, arguments = found.lookup((int.from_bytes(endpoint.address, "big"), endpoint.port))
        assert is_there, f"{endpoint} is not in {table}"
        return arguments[0]

    def _give(self, port: int, frame: bytes) -> Verdict:
        before = self._dropped()
        result = self._device.process(port, frame)
        assert not result.findings, result.findings
        self._digests += len(result.digests)
        drops = [drop for drop, count in self._dropped().items() if count > before[drop]]
        if not result.outputs:
            (drop,) = drops
            return Dropped(drop)
        assert not drops
        ((port, out),) = result.outputs
        return Punted(Reason(out[1]), out) if port == self._cpu_port else Sent(port, out)

    def _dropped(self) -> dict[Drop, int]:
        return {drop: self._outcomes.read(_FIRST_DROP + drop, from_hardware=True)[0] for drop in Drop}


def _since(now: tuple[Traffic, Traffic], before: tuple[Traffic, Traffic] | None) -> tuple[Traffic, Traffic]:
    if before is None:
        return now
    up, down = (Traffic(new.packets - old.packets, new.bytes - old.bytes) for new, old in zip(now, before, strict=True))
    return up, down
