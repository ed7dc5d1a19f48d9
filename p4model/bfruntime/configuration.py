"""The forwarding pipeline's configuration: binding a client to the program, and telling its documents."""

from __future__ import annotations

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Clients
from p4model.serving.status import RequestError

_Request = pb.SetForwardingPipelineConfigRequest


class Configuration:
    """The one program of a device, and its documents in JSON."""

    def __init__(self, name: str, clients: Clients, program: bytes, fixed: bytes) -> None:
        self._name = name
        self._clients = clients
        self._program = program
        self._fixed = fixed

    def get(self) -> pb.GetForwardingPipelineConfigResponse:
        """The program's document, and that of the tables which every chip has."""
        return pb.GetForwardingPipelineConfigResponse(
            config=[pb.ForwardingPipelineConfig(p4_name=self._name, bfruntime_info=self._program)],
            non_p4_config=pb.NonP4Config(bfruntime_info=self._fixed),
        )

    def set(self, request: pb.SetForwardingPipelineConfigRequest) -> pb.SetForwardingPipelineConfigResponse:
        """Bind a client, or do nothing for VERIFY; raises RequestError, for all other actions as well."""
        if request.action == _Request.BIND:
            self._bind(request)
        elif request.action != _Request.VERIFY:
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "the program of this device cannot be replaced")
        return pb.SetForwardingPipelineConfigResponse()

    def _bind(self, request: pb.SetForwardingPipelineConfigRequest) -> None:
        expected = [pb.ForwardingPipelineConfig(p4_name=config.p4_name) for config in request.config[:1]]
        if not expected or list(request.config) != expected:
            raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, "BIND takes one config with nothing but p4_name")
        client = self._clients.get(request.client_id)
        if client is None:
            raise RequestError(grpc.StatusCode.UNAVAILABLE, f"client {request.client_id} has not subscribed")
        asked = request.config[0].p4_name
        if asked != self._name:
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"there is no program {asked!r}, only {self._name!r}")
        bound = self._clients.bound()
        if bound is not None:
            raise RequestError(grpc.StatusCode.ALREADY_EXISTS, f"client {bound.id} is bound to {asked!r}")
        client.bound = True
