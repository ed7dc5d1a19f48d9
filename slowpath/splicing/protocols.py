"""The application protocols of listeners: how a connection's beginning is read, and what a refusal looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from slowpath.http.answers import answer
from slowpath.http.head import HeadReader
from slowpath.request import Request


class Opening(Protocol):
    """Reads the beginning of a client's stream until it is known what is asked for."""

    def feed(self, data: bytes) -> Request | None:
        """Take the next bytes; None as long as more are needed. Raises Refused."""


class ApplicationProtocol(Protocol):
    """What a listener speaks."""

    @property
    def head_limit(self) -> int:
        """Bytes that an opening may take."""

    def opening(self) -> Opening:
        """A reader for one connection, or for one request on it."""

    def refusal(self, status: int, *, head_only: bool = False) -> bytes:
        """What a client is told that gets no server; `status` is an HTTP status, `head_only` for a HEAD request."""


@dataclass(frozen=True, slots=True)
class Http:
    """HTTP/1.x; `head_limit` is the longest request head in bytes, 431 above that."""

    head_limit: int

    def opening(self) -> HeadReader:
        """A reader of a request head."""
        return HeadReader(self.head_limit)

    def refusal(self, status: int, *, head_only: bool = False) -> bytes:
        """A whole response."""
        return answer(status, head_only=head_only)
