"""The v1model program on a switch that `p4model` is, behind the P4Runtime service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import p4_tofino
from fastpath.bmv2.driver import ENDED, P4RuntimeDriver
from fastpath.records import Drop
from p4model import device
from p4model.p4runtime import Server, serve
from p4model.p4runtime.p4info import p4info
from p4model.program import Program, compile_text, preprocessed
from p4rt import Pipeline, Session
from tests.conformance import model_switch
from tests.conformance.p4_target import SMALL

CPU_PORT = 64
"""As in p4_tofino/sizes.p4."""


def compiled(sizes: Mapping[str, str] = SMALL, overlay: Mapping[Path, str] | None = None) -> Program:
    """The program as shipped, or with the texts of `overlay` in the place of its files."""
    source = preprocessed(p4_tofino.V1MODEL, include=[p4_tofino.DIRECTORY], defines=sizes, overlay=overlay)
    return compile_text(source)


class V1ModelSwitch:
    """A Switch."""

    cpu_port = CPU_PORT

    def __init__(self, program: Program) -> None:
        self.reports = 0
        self._program = program
        self._switch = device.Switch()
        self._server: Server | None = None

    async def connect(self, idle_after: float) -> P4RuntimeDriver:
        self._server = await serve(self._switch, "127.0.0.1:0", compile_=lambda source: self._program)
        pipeline = Pipeline(p4info(self._program.info), b"stands for the program")
        session = await Session.open(self._server.address, pipeline, digests=(ENDED,))
        return P4RuntimeDriver(session, idle_after)

    def process(self, port: int, frame: bytes) -> Sequence[tuple[int, bytes]]:
        result = self._switch.process(port, frame)
        self.reports += len(result.digests)
        return model_switch.outputs(result)

    def dropped(self) -> Mapping[Drop, int]:
        assert self._switch.device is not None, "it has no program yet"
        return model_switch.dropped(self._switch.device.state)

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()
