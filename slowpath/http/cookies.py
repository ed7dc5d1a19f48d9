"""The cookies of a request (RFC 6265 section 4.2), tolerant of what clients send in practice."""

from __future__ import annotations

from collections.abc import Iterator

from slowpath.request import Request


def values(request: Request, name: str) -> Iterator[str]:
    """The values of the cookies called `name` (case matters), in their order, without quotes around them.

    Pairs are separated by `;` with any whitespace, in one or several Cookie fields (HTTP/2 splits
    them, RFC 9113 section 8.2.3); what is no pair is passed over.
    """
    for field in request.values("cookie"):
        for pair in field.split(";"):
            key, equals, value = pair.partition("=")
            if equals and key.strip() == name:
                yield _unquoted(value.strip())


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value
