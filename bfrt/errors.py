"""What can go wrong between a client and a BfRt server."""

from __future__ import annotations

import grpc


class BfrtError(Exception):
    """The base of every error of this package."""


class Unavailable(BfrtError):
    """There is no connection, or no answer came in time.

    A write that ends with it may have been applied, in whole or in part. The session reconnects by itself then, and
    its callbacks run: that is the moment to compare what is there with what should be.
    """


class Refused(BfrtError):
    """The server refused a request as a whole; `code` is its gRPC status."""

    def __init__(self, what: str, code: grpc.StatusCode) -> None:
        super().__init__(what)
        self.code = code


class SchemaError(BfrtError):
    """A name, width, kind of match or count of values that the program's schema does not have; nothing was sent."""


class ProtocolError(BfrtError):
    """The server's answer contradicts its own schema."""
