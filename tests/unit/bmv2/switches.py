"""A switch that is driven through P4Runtime."""

from __future__ import annotations

from pathlib import Path

from fastpath.bmv2 import Bmv2FastPath
from fastpath.bmv2.driver import ENDED
from fastpath.pipeline.link import Link
from fastpath.switch.network import Network
from p4model.device import Switch as Place
from p4model.objects import ProgramInfo
from p4model.p4runtime import Server, serve
from p4model.p4runtime.p4info import p4info
from p4model.state import DeviceState
from p4rt import Pipeline, Session
from tests.unit.bmv2.relay import Relay
from tests.unit.pipeline import program
from tests.unit.pipeline.switches import Switch


class P4RuntimeSwitch(Switch):
    """Its program comes with the first session."""

    info = staticmethod(program.v1model)

    def __init__(self, directory: Path, info: ProgramInfo) -> None:
        super().__init__(directory, info)
        self.pipeline = Pipeline(p4info(info), b"stands for the program")
        self.place = Place()
        self._target = f"unix:{directory}/server"
        self._relay = Relay(self.address.removeprefix("unix:"), self._target.removeprefix("unix:"))
        self._server: Server | None = None
        self.now = 1000.0
        """The time of the switch, in seconds."""

    async def start(self) -> None:
        if self._server is None:
            self._server = await self._serve()
        await self._relay.start()

    async def _serve(self) -> Server:
        return await serve(
            self.place,
            self._target,
            sweep_interval=0.01,
            clock=lambda: self.now,
            compile_=lambda source: self.program,
            interceptors=self.interceptors,
        )

    async def cut(self) -> None:
        """The server lives on: a server of P4Runtime that ends has lost everything."""
        self._relay.cut()

    async def forget(self) -> None:
        await self.close()
        self.place = Place()

    async def close(self) -> None:
        await self.stop()
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def prepare(self) -> None:
        await self.start()
        await (await self.open()).close()
        await self.stop()

    async def open(self, election_id: int = 1) -> Session:
        return await Session.open(
            self.address, self.pipeline, election_id=election_id, digests=(ENDED,), jitter=lambda: 0.0
        )

    async def attach(self, link: Link, network: Network, idle_after: float) -> Bmv2FastPath:
        assert isinstance(self.session, Session)
        return await Bmv2FastPath.attach(self.session, link, network, idle_after=idle_after)

    @property
    def state(self) -> DeviceState:
        assert self.place.device is not None
        return self.place.device.state

    def process(self, frame: bytes) -> None:
        self.place.process(0, frame)
