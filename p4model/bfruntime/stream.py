"""StreamChannel: a client's subscription, and what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
from google.rpc import code_pb2

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client, Clients, Responses
from p4model.serving.status import RequestError

Send = Callable[[pb.StreamMessageResponse], Awaitable[None]]


async def serve_stream(clients: Clients, requests: AsyncIterator[pb.StreamMessageRequest], send: Send) -> None:
    """Serve one stream until the client ends it; raises RequestError.

    An acknowledgement of digests ends the stream without the client being forgotten, so that its id stays taken:
    bf_switchd does that.
    """
    client: Client | None = None
    outgoing = Responses()
    async with outgoing.sending(send):
        try:
            async for request in requests:
                kind = request.WhichOneof("update")
                if kind == "digest_ack":
                    client = None
                    raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "digests are acknowledged by the server itself")
                if kind == "subscribe" and client is None:
                    client = _subscribed(clients, request, outgoing)
        finally:
            if client is not None:
                clients.leave(client)


def _subscribed(clients: Clients, request: pb.StreamMessageRequest, outgoing: Responses) -> Client:
    client = clients.subscribe(request.client_id, request.subscribe.notifications, outgoing)
    if client is None:
        raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, f"client id {request.client_id} is taken")
    answer = pb.StreamMessageResponse()
    answer.subscribe.status.code = code_pb2.OK
    outgoing.put(answer)
    return client
