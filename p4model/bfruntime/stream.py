"""StreamChannel: a client's subscription, and what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
from google.rpc import code_pb2

from bfrt.proto import bfruntime_pb2 as pb
from p4model.service.clients import Client, Clients, Outgoing
from p4model.service.status import RequestError

Send = Callable[[pb.StreamMessageResponse], Awaitable[None]]


async def serve_stream(clients: Clients, requests: AsyncIterator[pb.StreamMessageRequest], send: Send) -> None:
    """Serve one stream until the client ends it; raises RequestError.

    An acknowledgement of digests ends the stream without the client being forgotten, so that its id stays taken:
    bf_switchd does that.
    """
    client: Client | None = None
    sending: tuple[Outgoing, asyncio.Task[None]] | None = None
    try:
        async for request in requests:
            kind = request.WhichOneof("update")
            if kind == "digest_ack":
                client = None
                raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "digests are acknowledged by the server itself")
            if kind == "subscribe" and client is None:
                client = clients.subscribe(request.client_id, request.subscribe.notifications)
                if client is None:
                    message = f"client id {request.client_id} is taken"
                    raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)
                answer = pb.StreamMessageResponse()
                answer.subscribe.status.code = code_pb2.OK
                client.outgoing.put_nowait(answer)
                sending = client.outgoing, asyncio.create_task(_send_all(client.outgoing, send))
    finally:
        if client is not None:
            clients.leave(client)
        if sending is not None:
            outgoing, sender = sending
            # Not cancelled: gRPC takes no status for a stream while a message of it is on its way.
            outgoing.put_nowait(None)
            await asyncio.gather(sender, return_exceptions=True)


async def _send_all(outgoing: Outgoing, send: Send) -> None:
    """Send messages until there is a None."""
    while (message := await outgoing.get()) is not None:
        await send(message)
