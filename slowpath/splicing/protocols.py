"""The application protocols of listeners: what is read of their connections before a server is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from slowpath.http.head import DEFAULT_HEADER_COUNT, DEFAULT_TARGET_LIMIT
from slowpath.http.known_heads import KnownHeads
from slowpath.splicing.openings import HttpOpening, Opening, TcpOpening, TlsOpening


class ApplicationProtocol(Protocol):
    """What a listener speaks."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    @property
    def head_limit(self) -> int:
        """Bytes that an opening may take."""

    @property
    def client_first(self) -> bool:
        """Whether nothing is asked of a server before the client has spoken."""

    @property
    def http2(self) -> bool:
        """Whether HTTP/2 may pass, of which only the first request is read."""

    def opening(self, *, first: bool = True) -> Opening:
        """A reader for the `first` request of a connection, or for a later one."""


class Http:
    """HTTP/1.x, and HTTP/2 with prior knowledge.

    `head_limit` is the longest request head in bytes and `header_count` the most fields in it, 431 above
    that; `target_limit` is the longest request-target of HTTP/1.x in bytes, 414 above that. Of an HTTP/2
    connection only the first request is read: without `http2` it is refused, where each one has to be.
    """

    name = "http"
    client_first = True

    def __init__(
        self,
        head_limit: int,
        http2: bool = True,
        header_count: int = DEFAULT_HEADER_COUNT,
        target_limit: int = DEFAULT_TARGET_LIMIT,
    ) -> None:
        self.head_limit = head_limit
        self.http2 = http2
        self.header_count = header_count
        self.target_limit = target_limit
        self._heads = KnownHeads(head_limit, header_count, target_limit)

    def opening(self, *, first: bool = True) -> HttpOpening:
        """A reader of a request head."""
        return HttpOpening(self._heads, self.head_limit, first=first, http2=self.http2)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS, passed through by what its ClientHello asks for, of `head_limit` bytes at most."""

    head_limit: int

    name = "tls"
    client_first = True
    http2 = True

    def opening(self, *, first: bool = True) -> TlsOpening:
        """A reader of a ClientHello."""
        return TlsOpening(self.head_limit)


@dataclass(frozen=True, slots=True)
class Tcp:
    """Anything over TCP: a connection is spliced as soon as it is established, for the server may speak first.

    `head_limit` bounds the bytes of the client's that are received before, as with the others.
    """

    head_limit: int

    name = "tcp"
    client_first = False
    http2 = True

    def opening(self, *, first: bool = True) -> TcpOpening:
        """Reads nothing."""
        return TcpOpening()
