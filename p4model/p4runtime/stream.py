"""StreamChannel: a controller's part in the arbitration, its acknowledgements, and what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
from google.rpc import code_pb2

from p4model.p4runtime.arbitration import Arbitration, Controller, Responses
from p4model.p4runtime.configuration import Configuration
from p4model.p4runtime.status import SPACE
from p4model.serving.status import RequestError
from p4rt.proto import p4runtime_pb2 as pb

Send = Callable[[pb.StreamMessageResponse], Awaitable[None]]


class Streams:
    """Serves the streams of one device. Before its first arbitration message, what a stream says is ignored."""

    def __init__(self, device_id: int, arbitration: Arbitration, configuration: Configuration) -> None:
        self._device_id = device_id
        self._arbitration = arbitration
        self._configuration = configuration

    async def serve(self, requests: AsyncIterator[pb.StreamMessageRequest], send: Send) -> None:
        """Serve one stream until the controller ends it; raises RequestError."""
        controller: Controller | None = None
        outgoing = Responses()
        async with outgoing.sending(send):
            try:
                async for request in requests:
                    kind = request.WhichOneof("update")
                    if kind == "arbitration":
                        controller = self._arbitrate(controller, request.arbitration, outgoing)
                    elif kind is not None and controller is not None:
                        error = self._hear(controller, kind, request)
                        if error is not None:
                            outgoing.put(pb.StreamMessageResponse(error=error))
            finally:
                if controller is not None:
                    self._arbitration.leave(controller)

    def _arbitrate(
        self, controller: Controller | None, update: pb.MasterArbitrationUpdate, outgoing: Responses
    ) -> Controller:
        if update.device_id != self._device_id:
            code = grpc.StatusCode.NOT_FOUND if controller is None else grpc.StatusCode.FAILED_PRECONDITION
            raise RequestError(code, f"there is no device {update.device_id}, only {self._device_id}")
        if controller is None:
            return self._arbitration.join(update, outgoing)
        self._arbitration.update(controller, update)
        return controller

    def _hear(self, controller: Controller, kind: str, request: pb.StreamMessageRequest) -> pb.StreamError | None:
        """Take what is no arbitration message; what cannot be taken is told on the stream (P4Runtime section 16.6)."""
        is_primary = self._arbitration.primary(controller.role) is controller
        if not is_primary:
            error = _error(code_pb2.PERMISSION_DENIED, "the controller is not the primary one")
        elif kind == "digest_ack":
            forwarding = self._configuration.running
            digest = forwarding and forwarding.digests.get(request.digest_ack.digest_id)
            if digest:
                digest.acknowledge(request.digest_ack.list_id)
                return None
            error = _error(code_pb2.INVALID_ARGUMENT, f"there is no digest of id {request.digest_ack.digest_id:#010x}")
        else:
            error = _error(code_pb2.UNIMPLEMENTED, f"{kind}: is not supported")
        _identify(error, request)
        return error


def _error(code: int, message: str) -> pb.StreamError:
    return pb.StreamError(canonical_code=code, message=message, space=SPACE)


def _identify(error: pb.StreamError, request: pb.StreamMessageRequest) -> None:
    """Say what an error is about."""
    match request.WhichOneof("update"):
        case "digest_ack":
            error.digest_list_ack.digest_list_ack.CopyFrom(request.digest_ack)
        case "packet":
            error.packet_out.packet_out.metadata.extend(request.packet.metadata)
        case _:
            error.other.other.CopyFrom(request.other)
