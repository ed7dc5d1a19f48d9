"""What a connection asks for, as far as rules and balancers look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Refused(Exception):
    """The request is not served: `status` (400, 431, 505, ...) is the answer to it, `why` is for the log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why


class Request(Protocol):
    """A request head, a TLS ClientHello, or nothing at all; what a protocol does not have is empty."""

    @property
    def length(self) -> int:
        """Bytes of the client's stream that it takes, from where reading began."""

    @property
    def host(self) -> str:
        """The host that is asked for, lower case, without port: of the target or Host, or the server name of TLS."""

    @property
    def path(self) -> str:
        """The path as `RequestHead.path` has it."""

    @property
    def target(self) -> str:
        """The path as it was sent, with its query."""

    @property
    def method(self) -> str:
        """The method."""

    @property
    def alpn(self) -> Sequence[str]:
        """The application protocols that a ClientHello offers (RFC 7301), in its order."""

    def values(self, name: str) -> Sequence[str]:
        """The values of every header field called `name`, in any case."""


class Nothing:
    """The request of a connection that is not read (`protocol: tcp`)."""

    length = 0
    host = path = target = method = ""
    alpn: Sequence[str] = ()

    def values(self, name: str) -> Sequence[str]:
        """None."""
        return ()
