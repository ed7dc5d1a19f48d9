"""The balancer's own responses: complete, short, and the last on their connection."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus

RETRY_AFTER = 5
"""Seconds after which a client may ask again when no server was available (RFC 9110 section 10.2.3)."""

_BODIES = {
    HTTPStatus.BAD_REQUEST: "The request is malformed.",
    HTTPStatus.NOT_FOUND: "Nothing is served under this address.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive in time.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of the request is too large.",
    HTTPStatus.BAD_GATEWAY: "No server accepted the connection.",
    HTTPStatus.SERVICE_UNAVAILABLE: "No server is available at the moment.",
    HTTPStatus.GATEWAY_TIMEOUT: "No server answered in time.",
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "Only HTTP/1.0 and HTTP/1.1 are spoken here.",
}

STATUSES = frozenset(map(int, _BODIES))
"""The statuses there is an answer for."""


@cache
def answer(status: int, *, head_only: bool = False) -> bytes:
    """The bytes of the response with `status`, one of STATUSES (else ValueError).

    `head_only` leaves the body out, for a request with method HEAD.
    """
    if status not in STATUSES:
        raise ValueError(f"no answer for status {status}: one of {sorted(STATUSES)}")
    known = HTTPStatus(status)
    body = f"{_BODIES[known]}\n"
    lines = [
        f"HTTP/1.1 {status} {known.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if known is HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append(f"Retry-After: {RETRY_AFTER}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return (head if head_only else head + body).encode("ascii")
