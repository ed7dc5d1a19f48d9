"""What can go wrong between a client and the server of a switch."""

from __future__ import annotations

import grpc


class RpcError(Exception):
    """The base of every error of the clients."""


class Unavailable(RpcError):
    """There is no connection, or no answer came in time.

    A write that ends with it may have been applied, in whole or in part. The session reconnects by itself then, and
    its callbacks run: that is the moment to compare what is there with what should be.
    """


class Refused(RpcError):
    """The server refused a request as a whole; `code` is its gRPC status."""

    def __init__(self, what: str, code: grpc.StatusCode) -> None:
        super().__init__(what)
        self.code = code


class SchemaError(RpcError):
    """A name, width, kind of match or count of values that the program's schema does not have; nothing was sent."""


class ProtocolError(RpcError):
    """The server's answer contradicts its own schema."""
