"""A switch that is driven through BfRt."""

from __future__ import annotations

from pathlib import Path

from bfrt import Session
from fastpath.pipeline.link import Link
from fastpath.switch.network import Network
from fastpath.tofino import TofinoFastPath
from p4model.bfruntime import Server, serve
from p4model.device import Device
from p4model.objects import ProgramInfo
from p4model.state import DeviceState
from tests.unit.pipeline import program
from tests.unit.pipeline.switches import Switch


class BfrtSwitch(Switch):
    """Its program is there from the start."""

    info = staticmethod(program.tna)

    def __init__(self, directory: Path, info: ProgramInfo) -> None:
        super().__init__(directory, info)
        self.device = Device(self.program)
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await serve(self.device, self.address, interceptors=self.interceptors)

    async def cut(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def forget(self) -> None:
        self.device = Device(self.program)

    async def prepare(self) -> None:
        """It has it."""

    async def open(self) -> Session:
        return await Session.open(self.address, "l7lb", jitter=lambda: 0.0)

    async def attach(self, link: Link, network: Network, idle_after: float) -> TofinoFastPath:
        assert isinstance(self.session, Session)
        return await TofinoFastPath.attach(self.session, link, network, idle_after=idle_after)

    @property
    def state(self) -> DeviceState:
        return self.device.state

    def process(self, frame: bytes) -> None:
        self.device.process(0, frame)
