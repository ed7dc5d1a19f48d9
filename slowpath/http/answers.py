"""The balancer's own responses: complete, short, and the last on their connection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final

RETRY_AFTER = 5
"""Seconds after which a client may ask again when no server was available (RFC 9110 section 10.2.3)."""

TEXT: Final = "text/plain; charset=utf-8"
"""The media type of a body that nothing else is said of."""

BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
"""Final statuses whose responses have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5)."""

_BODIES = {
    HTTPStatus.BAD_REQUEST: "The request is malformed.",
    HTTPStatus.NOT_FOUND: "Nothing is served under this address.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive in time.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The target of the request is too long.",
    HTTPStatus.TOO_MANY_REQUESTS: "There were too many requests.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of the request is too large.",
    HTTPStatus.NOT_IMPLEMENTED: "The method or the transfer coding of the request is not known here.",
    HTTPStatus.BAD_GATEWAY: "No server accepted the connection.",
    HTTPStatus.SERVICE_UNAVAILABLE: "No server is available at the moment.",
    HTTPStatus.GATEWAY_TIMEOUT: "No server answered in time.",
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "Only HTTP/1.0 and HTTP/1.1 are spoken here.",
}

STATUSES = frozenset(map(int, _BODIES))
"""The statuses that `standard` has an answer for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without its framing: `status` is 200 to 599, `fields` are header fields in their order.

    Content-Length and Connection are not among the fields; they are `encoded`'s.
    """

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encoded(self, *, head_only: bool = False) -> bytes:
        """The bytes of an HTTP/1.1 response; `head_only` leaves the body out, for a request with method HEAD."""
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}", *(f"{name}: {value}" for name, value in self.fields)]
        if self.status not in BODILESS:
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if head_only else head + self.body


@cache
def standard(status: int) -> Answer:
    """The answer that says no more than its `status`, one of STATUSES (else ValueError)."""
    if status not in STATUSES:
        raise ValueError(f"no answer for status {status}: one of {sorted(STATUSES)}")
    known = HTTPStatus(status)
    fields = [("Content-Type", TEXT)]
    if known is HTTPStatus.SERVICE_UNAVAILABLE:
        fields.append(("Retry-After", str(RETRY_AFTER)))
    return Answer(status, tuple(fields), f"{_BODIES[known]}\n".encode("ascii"))


def too_many(seconds: int) -> Answer:
    """429: the client may ask again after `seconds` (RFC 6585 section 4)."""
    plain = standard(HTTPStatus.TOO_MANY_REQUESTS)
    return Answer(plain.status, (*plain.fields, ("Retry-After", str(seconds))), plain.body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""  # RFC 9112 section 4: the phrase is optional, the space before it is not.
