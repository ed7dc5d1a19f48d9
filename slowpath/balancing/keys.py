"""What the hashing strategies hash: of the client, or of its request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from slowpath.balancing.hashing import packed
from slowpath.http import cookies
from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint

Key: TypeAlias = Callable[[Endpoint, Request], bytes]
"""Bytes that stand for a client and its request: the same bytes go to the same server."""


def by_address(client: Endpoint, request: Request) -> bytes:
    """The client's address, whatever its port."""
    return client.address


def by_connection(client: Endpoint, request: Request) -> bytes:
    """The client's address and port."""
    return packed(client)


class Part(Enum):
    """A part of a request that can be hashed."""

    HEADER = "header"
    COOKIE = "cookie"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class RequestHash:
    """The key of requests by one part of them; `name` is that of the header field or cookie.

    A request that does not have that part is placed by its client's address. A header that is sent
    several times counts as its values joined (RFC 9110 section 5.3), a cookie with its first value.
    """

    part: Part
    name: str = ""

    def __call__(self, client: Endpoint, request: Request) -> bytes:
        """See Key."""
        if self.part is Part.HEADER:
            value = ", ".join(request.values(self.name))
        elif self.part is Part.COOKIE:
            value = next(cookies.values(request, self.name), "")
        else:
            value = request.path
        return value.encode(errors="replace") if value else client.address

    def __str__(self) -> str:
        return f"hash of {self.part.value} {self.name}".rstrip()
