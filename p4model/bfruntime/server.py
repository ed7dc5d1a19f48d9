"""A BfRt server for a device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import grpc

from bfrt.proto import bfruntime_pb2_grpc as rpc
from p4model.bfruntime.chip import TOFINO, Chip
from p4model.bfruntime.clients import Clients
from p4model.bfruntime.configuration import Configuration
from p4model.bfruntime.documents import document, program_document
from p4model.bfruntime.idling import IdleSweeps
from p4model.bfruntime.learning import Learning
from p4model.bfruntime.schema import Schema
from p4model.bfruntime.servicer import Parts, Servicer
from p4model.bfruntime.tables.base import ServedTable, by_id
from p4model.bfruntime.tables.configuration import DeviceConfiguration
from p4model.bfruntime.tables.indexed import ServedCounter, ServedRegister
from p4model.bfruntime.tables.match import ServedMatchTable
from p4model.bfruntime.tables.ports import PortTable, port_document
from p4model.device import Device
from p4model.serving.server import Interceptors, start

LEARN_TIMEOUT = 500
"""Microseconds for which digests are collected before they are sent."""


class Server:
    """A running server; `serve` makes one."""

    def __init__(
        self, server: grpc.aio.Server, address: str, device: Device, learning: Learning, sweeps: IdleSweeps
    ) -> None:
        self.address = address
        """Where clients reach it, with the port that the system chose if none was given."""
        self._server = server
        self._device = device
        self._learning = learning
        self._sweeps = sweeps

    async def stop(self) -> None:
        """End all calls and streams, and close the port; the device stays as it is."""
        self._device.ignore(self._learning.hear)
        self._sweeps.close()
        await self._server.stop(None)


async def serve(
    device: Device,
    address: str,
    *,
    name: str = "l7lb",
    pipes: int = 4,
    ports: Sequence[int] = (),
    chip: Chip = TOFINO,
    interceptors: Interceptors = (),
) -> Server:
    """Serve a device on `address`, such as 127.0.0.1:50052 or unix:/path, to clients that bind to the program `name`.

    $PORT has the device ports `ports` from the start, as a model's driver adds them. Raises OSError if the address
    cannot be used.
    """
    schema = Schema.of(device.info)
    clients = Clients()
    learning = Learning(schema, clients, LEARN_TIMEOUT / 1e6)
    sweeps = IdleSweeps()
    chip_table = DeviceConfiguration(chip, pipes, LEARN_TIMEOUT)
    tables: list[ServedTable] = [
        *(ServedMatchTable(schema, table, sweeps.begin) for table in device.state.tables.values()),
        *(ServedCounter(schema, counter) for counter in device.state.counters.values()),
        *(ServedRegister(schema, register, pipes) for register in device.state.registers.values()),
        PortTable(pipes, ports, clients.notify_ports),
        chip_table,
    ]
    fixed = document([port_document(), chip_table.document()], [])
    configuration = Configuration(name, clients, program_document(schema), fixed)
    servicer = Servicer(Parts(name, by_id(tables), clients, configuration))
    server, where = await start(address, partial(rpc.add_BfRuntimeServicer_to_server, servicer), interceptors)
    device.listen(learning.hear)
    return Server(server, where, device, learning, sweeps)
