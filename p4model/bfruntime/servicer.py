"""The service BfRuntime: requests to parts, refusals to gRPC statuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from bfrt.proto import bfruntime_pb2_grpc as rpc
from p4model.bfruntime.clients import Client, Clients
from p4model.bfruntime.configuration import Configuration
from p4model.bfruntime.read import Reader
from p4model.bfruntime.status import FailedParts
from p4model.bfruntime.stream import serve_stream
from p4model.bfruntime.tables.base import ServedTable
from p4model.bfruntime.write import Options, Writer
from p4model.serving.status import Context, RequestError, fail, refuse

_DEVICE = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a servicer serves."""

    name: str
    """The program's, as clients bind to it."""
    tables: Mapping[int, ServedTable]
    clients: Clients
    configuration: Configuration


class Servicer(rpc.BfRuntimeServicer):
    """BfRuntime for one device with one program."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clients = parts.clients
        self._writer = Writer(parts.tables)
        self._reader = Reader(parts.tables)

    async def Write(self, request: pb.WriteRequest, context: Context) -> pb.WriteResponse:
        """Carry out updates."""
        metadata = _metadata(context)
        options = Options(metadata.get("ignore_not_found") == "1", _deadline(metadata))
        try:
            client = self._admit(request.client_id, request.p4_name, request.target)
            return self._writer.write(request, client, options)
        except RequestError as error:
            await refuse(context, error)
        except FailedParts as failure:
            await fail(context, failure.parts, "Write Error Status")

    async def Read(self, request: pb.ReadRequest, context: Context) -> AsyncIterator[pb.ReadResponse]:
        """Answer questions, in one message."""
        statuses = _metadata(context).get("error_in_resp") == "1"
        try:
            self._admit(request.client_id, request.p4_name, request.target)
            response = self._reader.read(request, statuses=statuses)
        except RequestError as error:
            await refuse(context, error)
        except FailedParts as failure:
            await fail(context, failure.parts, "Read Error Status")
        yield response

    async def SetForwardingPipelineConfig(
        self, request: pb.SetForwardingPipelineConfigRequest, context: Context
    ) -> pb.SetForwardingPipelineConfigResponse:
        """Bind a client to the program."""
        try:
            _require_device(request.device_id)
            return self._parts.configuration.set(request)
        except RequestError as error:
            await refuse(context, error)

    async def GetForwardingPipelineConfig(
        self, request: pb.GetForwardingPipelineConfigRequest, context: Context
    ) -> pb.GetForwardingPipelineConfigResponse:
        """Tell the documents."""
        try:
            _require_device(request.device_id)
            return self._parts.configuration.get()
        except RequestError as error:
            await refuse(context, error)

    async def StreamChannel(self, requests: AsyncIterator[pb.StreamMessageRequest], context: Context) -> None:
        """Serve a client's stream."""
        try:
            await serve_stream(self._clients, requests, context.write)
        except RequestError as error:
            await refuse(context, error)

    def _admit(self, client_id: int, program: str, target: pb.TargetDevice) -> Client | None:
        """The client of a Write or Read, None if it has no stream; raises RequestError unless it names the program."""
        _require_device(target.device_id)
        client = self._clients.get(client_id)
        if program:
            if program != self._parts.name:
                raise RequestError(grpc.StatusCode.NOT_FOUND, f"there is no program {program!r}")
        elif client is None:
            raise RequestError(grpc.StatusCode.NOT_FOUND, "the client has no stream and names no program in p4_name")
        elif not client.bound:
            raise RequestError(grpc.StatusCode.UNKNOWN, f"client {client_id} is bound to no program")
        return client


def _require_device(device: int) -> None:
    if device != _DEVICE:
        raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, f"there is no device {device}, only {_DEVICE}")


def _metadata(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _deadline(metadata: Mapping[str, str]) -> Callable[[], bool] | None:
    seconds = _number(metadata, "deadline_sec") + _number(metadata, "deadline_nsec") / 1e9
    if not seconds:
        return None
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    return lambda: clock() > end


def _number(metadata: Mapping[str, str], name: str) -> int:
    value = metadata.get(name, "0")
    return int(value) if value.isdecimal() else 0
