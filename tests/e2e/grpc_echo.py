"""A gRPC server that answers with what it is asked, and its client: `serve ADDRESS`, `call ADDRESS SIZE COUNT`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "l7lb.Echo"
_METHOD = f"/{SERVICE}/Say"
_TIMEOUT = 10.0


def serve(address: str) -> None:
    """Serve until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(4))
    echo = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Say": echo}),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def call(address: str, size: int, count: int) -> None:
    """Make `count` calls with `size` bytes each, on one connection; raises what grpc does."""
    with grpc.insecure_channel(address) as channel:
        say = channel.unary_unary(_METHOD, None, None)
        for number in range(count):
            asked = bytes([number % 256]) * size
            assert say(asked, timeout=_TIMEOUT) == asked
    sys.stdout.write(f"{count} answers\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", address]:
            serve(address)
        case ["call", address, size, count]:
            call(address, int(size), int(count))
        case _:
            sys.exit(__doc__)
