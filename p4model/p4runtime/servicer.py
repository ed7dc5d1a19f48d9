"""The service P4Runtime: requests to parts, refusals to gRPC statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import grpc

from p4model.p4runtime.arbitration import Arbitration, election_id
from p4model.p4runtime.configuration import Configuration
from p4model.p4runtime.read import Reader
from p4model.p4runtime.status import FailedUpdates
from p4model.p4runtime.stream import Streams
from p4model.p4runtime.write import Writer
from p4model.serving.status import Context, RequestError, fail, refuse
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.proto import p4runtime_pb2_grpc as rpc

VERSION = "1.5.0"
"""Of the protocol."""


class Servicer(rpc.P4RuntimeServicer):
    """P4Runtime for one device."""

    def __init__(self, device_id: int, arbitration: Arbitration, configuration: Configuration) -> None:
        self._device_id = device_id
        self._arbitration = arbitration
        self._configuration = configuration
        self._streams = Streams(device_id, arbitration, configuration)

    async def Write(self, request: pb.WriteRequest, context: Context) -> pb.WriteResponse:
        """Carry out updates."""
        try:
            self._require_primary(request)
            Writer(self._configuration.current).write(request)
        except RequestError as error:
            await refuse(context, error)
        except FailedUpdates as failure:
            await fail(context, failure.parts, str(failure))
        return pb.WriteResponse()

    async def Read(self, request: pb.ReadRequest, context: Context) -> AsyncIterator[pb.ReadResponse]:
        """Answer questions, in one message."""
        try:
            self._require_device(request.device_id)
            response = Reader(self._configuration.current).read(request)
        except RequestError as error:
            await refuse(context, error)
        yield response

    async def SetForwardingPipelineConfig(
        self, request: pb.SetForwardingPipelineConfigRequest, context: Context
    ) -> pb.SetForwardingPipelineConfigResponse:
        """Verify, save or commit a program."""
        try:
            await self._configuration.set(request, partial(self._require_primary, request))
        except RequestError as error:
            await refuse(context, error)
        return pb.SetForwardingPipelineConfigResponse()

    async def GetForwardingPipelineConfig(
        self, request: pb.GetForwardingPipelineConfigRequest, context: Context
    ) -> pb.GetForwardingPipelineConfigResponse:
        """Tell what was set."""
        try:
            self._require_device(request.device_id)
            config = self._configuration.get(request.response_type)
        except RequestError as error:
            await refuse(context, error)
        return pb.GetForwardingPipelineConfigResponse(config=config)

    async def StreamChannel(self, requests: AsyncIterator[pb.StreamMessageRequest], context: Context) -> None:
        """Serve a controller's stream."""
        try:
            await self._streams.serve(requests, context.write)
        except RequestError as error:
            await refuse(context, error)

    async def Capabilities(self, request: pb.CapabilitiesRequest, context: Context) -> pb.CapabilitiesResponse:
        """Tell the version of the protocol."""
        return pb.CapabilitiesResponse(p4runtime_api_version=VERSION)

    def _require_primary(self, request: pb.WriteRequest | pb.SetForwardingPipelineConfigRequest) -> None:
        self._require_device(request.device_id)
        self._arbitration.require_primary(request.role, election_id(request))

    def _require_device(self, device_id: int) -> None:
        if device_id != self._device_id:
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"there is no device {device_id}, only {self._device_id}")
