"""A P4Runtime server for a switch."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import grpc

from p4model.device import Device, Switch
from p4model.p4runtime.arbitration import Arbitration
from p4model.p4runtime.compiling import compile_v1model
from p4model.p4runtime.configuration import Compile, Configuration
from p4model.p4runtime.forwarding import Forwarding
from p4model.p4runtime.idling import sweep
from p4model.p4runtime.servicer import Servicer
from p4model.p4runtime.tables import Clock
from p4model.serving.server import Interceptors, start
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.proto import p4runtime_pb2_grpc as rpc

SWEEP_INTERVAL = 1.0
"""Seconds between two looks for idle entries, as simple_switch has them."""


class Server:
    """A running server; `serve` makes one."""

    def __init__(
        self, server: grpc.aio.Server, address: str, configuration: Configuration, sweeps: asyncio.Task[None]
    ) -> None:
        self.address = address
        """Where clients reach it, with the port that the system chose if none was given."""
        self._server = server
        self._configuration = configuration
        self._sweeps = sweeps

    async def stop(self) -> None:
        """End all calls and streams, and close the port; the switch stays as it is."""
        self._sweeps.cancel()
        try:
            await self._server.stop(None)
        finally:
            self._configuration.close()


async def serve(
    switch: Switch,
    address: str,
    *,
    device_id: int = 0,
    sweep_interval: float = SWEEP_INTERVAL,
    compile_: Compile = compile_v1model,
    clock: Clock = time.monotonic,
    interceptors: Interceptors = (),
) -> Server:
    """Serve a switch on `address`, such as 127.0.0.1:9559 or unix:/path.

    A program's device configuration is its preprocessed source (`p4model.program.preprocessed`), which `compile_` makes
    a program of. Idle entries are looked for every `sweep_interval` seconds; they age by `clock`. Raises OSError if the
    address cannot be used.
    """
    arbitration = Arbitration(device_id)

    def forward(device: Device, config: pb.ForwardingPipelineConfig) -> Forwarding:
        return Forwarding(device, config, clock, arbitration.notify)

    configuration = Configuration(switch, compile_, forward)
    servicer = Servicer(device_id, arbitration, configuration)
    add = partial(rpc.add_P4RuntimeServicer_to_server, servicer)
    try:
        server, where = await start(address, add, interceptors)
    except OSError:
        configuration.close()
        raise
    sweeps = asyncio.create_task(sweep(configuration, arbitration, sweep_interval))
    return Server(server, where, configuration, sweeps)
