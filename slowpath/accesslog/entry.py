"""What the access log says of one request, or of the one connection of a protocol whose requests are not read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint


class Ended(Enum):
    """How it came to its end."""

    COMPLETE = "complete"
    """The connection has gone on: the client sent its next request, or the server alone has closed."""
    CLOSED = "closed"
    """Both sides have closed."""
    ANSWERED = "answered"
    """The balancer has answered."""
    CLIENT_RESET = "client_reset"
    SERVER_RESET = "server_reset"
    RESET = "reset"
    """One of the two has, and the fast path does not tell which."""
    IDLE = "idle"
    """Nothing was sent for too long."""
    LOST = "lost"
    """The server was gone with a part of its response."""
    STOPPED = "stopped"
    """It was still open when the balancer stopped."""


@dataclass(slots=True, eq=False)
class Entry:
    """One line to be. Times are seconds, `started` of the monotonic clock; what is empty or None is not known."""

    started: float
    client: Endpoint
    vip: Endpoint
    listener: str
    protocol: str
    """`http`, `tls` or `tcp`."""
    method: str = ""
    target: str = ""
    host: str = ""
    """As in `Request.host`."""
    version: str = ""
    """Of HTTP: `1.0`, `1.1` or `2`."""
    referer: str = ""
    user_agent: str = ""
    request_id: str = ""
    pool: str = ""
    server: Endpoint | None = None
    status: int | None = None
    """Of an answer of our own: those of servers are not read."""
    bytes_in: int | None = None
    """What the client has sent, in bytes of TCP payload."""
    bytes_out: int | None = None
    """What it was sent, likewise."""
    packets_in: int | None = None
    packets_out: int | None = None
    """Those that were forwarded; not known of a connection that had several requests."""
    connect: float | None = None
    """From the SYN to the server to its SYN-ACK; None where no connection was made for it."""
    duration: float | None = None
    """To the end of the connection, or to the last packet of the response before the next request."""
    ended: Ended = Ended.CLOSED

    def ask(self, request: Request, version: str) -> None:
        """Note what is asked for."""
        self.method, self.target, self.host, self.version = request.method, request.target, request.host, version
        self.referer = ", ".join(request.values("referer"))
        self.user_agent = ", ".join(request.values("user-agent"))
        self.request_id = ", ".join(request.values("x-request-id"))


class Journal(Protocol):
    """Who takes the entries; a call must not wait."""

    def takes(self, share: float) -> bool:
        """Whether to log a connection of a listener of which this share is logged: 0 (none) to 1."""

    def write(self, entry: Entry) -> None:
        """Take an entry, which does not change any more."""
