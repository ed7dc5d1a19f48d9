"""The TNA program on a chip that `p4model` is, behind the BfRt service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

import p4_tofino
from bfrt import Session
from fastpath.records import Drop
from fastpath.tofino.driver import BfrtDriver
from p4model.bfruntime import serve
from p4model.bfruntime.server import Server
from p4model.device import Device
from p4model.program import Program, compile_program
from slowpath.wire.endpoint import Endpoint
from tests.conformance import model_switch
from tests.conformance.p4_target import SMALL

_PROGRAM = "l7lb"


class Chip(Enum):
    """What the program is compiled for: __TARGET_TOFINO__, and the port to the slow path (p4_tofino/sizes.p4)."""

    TOFINO = "1", 64
    TOFINO2 = "2", 2

    def __init__(self, target: str, cpu_port: int) -> None:
        self.target, self.cpu_port = target, cpu_port


def compiled(
    chip: Chip = Chip.TOFINO, sizes: Mapping[str, str] = SMALL, overlay: Mapping[Path, str] | None = None
) -> Program:
    """The program as shipped, or with the texts of `overlay` in the place of its files."""
    defines = {**sizes, "__TARGET_TOFINO__": chip.target}
    return compile_program(p4_tofino.TOFINO, include=[p4_tofino.DIRECTORY], defines=defines, overlay=overlay)


class TofinoSwitch:
    """A Switch."""

    def __init__(self, program: Program, chip: Chip = Chip.TOFINO) -> None:
        self.cpu_port = chip.cpu_port
        self.reports = 0
        self._device = Device(program)
        self._server: Server | None = None
        (self._seen,) = (one for name, one in self._device.state.registers.items() if name.endswith(".seen"))

    async def connect(self, idle_after: float) -> BfrtDriver:
        self._server = await serve(self._device, "127.0.0.1:0", name=_PROGRAM)
        return BfrtDriver(await Session.open(self._server.address, _PROGRAM), idle_after)

    def process(self, port: int, frame: bytes) -> Sequence[tuple[int, bytes]]:
        result = self._device.process(port, frame)
        self.reports += len(result.digests)
        return model_switch.outputs(result)

    def dropped(self) -> Mapping[Drop, int]:
        return model_switch.dropped(self._device.state)

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()

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
