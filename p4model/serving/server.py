"""A gRPC server on an address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import grpc

Interceptors: TypeAlias = "Sequence[grpc.aio.ServerInterceptor[Any, Any]]"

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # A second server on the same port is an error.
)


async def start(
    address: str, add_servicer: Callable[[grpc.aio.Server], None], interceptors: Interceptors = ()
) -> tuple[grpc.aio.Server, str]:
    """Start a server of what `add_servicer` adds.

    Returns it with the address that clients reach it at, which has the port that the system chose if 0 was given.
    Raises OSError if the address cannot be used.
    """
    server = grpc.aio.server(interceptors=interceptors, options=_OPTIONS)
    add_servicer(server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise OSError(f"cannot listen on {address}: give an address of this machine whose port is free") from None
    await server.start()
    return server, address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
