"""A BfRt server for a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from bfrt.proto import bfruntime_pb2_grpc as rpc
from p4model.device import Device
from p4model.service.chip import TOFINO, Chip
from p4model.service.clients import Clients
from p4model.service.configuration import Configuration
from p4model.service.documents import document, program_document
from p4model.service.idling import IdleSweeps
from p4model.service.learning import Learning
from p4model.service.schema import Schema
from p4model.service.servicer import Parts, Servicer
from p4model.service.tables.base import ServedTable, by_id
from p4model.service.tables.configuration import DeviceConfiguration
from p4model.service.tables.indexed import ServedCounter, ServedRegister
from p4model.service.tables.match import ServedMatchTable
from p4model.service.tables.ports import PortTable, port_document

LEARN_TIMEOUT = 500
"""Microseconds for which digests are collected before they are sent."""
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # A second server on the same port is an error.
)


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
    interceptors: Sequence[grpc.aio.ServerInterceptor[Any, Any]] = (),
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
    server = grpc.aio.server(interceptors=interceptors, options=_OPTIONS)
    rpc.add_BfRuntimeServicer_to_server(Servicer(Parts(name, by_id(tables), clients, configuration)), server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise OSError(f"cannot listen on {address}: give an address of this machine whose port is free") from None
    await server.start()
    device.listen(learning.hear)
    where = address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
    return Server(server, where, device, learning, sweeps)
