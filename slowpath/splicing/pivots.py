"""How a client's stream goes on behind a request head: where the next request starts, if it is known (RFC 9112)."""

from __future__ import annotations

from enum import Enum

from fastpath.records import Pivot
from slowpath.http.head import RequestHead
from slowpath.request import Request

LARGEST_BODY = {Pivot.NONE: 0, Pivot.BIT: 1 << 16, Pivot.EXACT: 1 << 30}
"""Bytes of a body that may lie between a head and a pivot. Before a pivot that is one bit every packet is punted;
an exact one has to be less than half the sequence space ahead."""


class Course(Enum):
    """What follows a request, as far as its head tells."""

    REQUEST = "the next request, at `end`"
    NOTHING = "nothing that we have to read"
    UNKNOWN = "perhaps another request, at a place that is not known, or that the target cannot wait for"
    AGREEMENT = "the next request, at `end`, unless the server agrees to another protocol"


def course(request: Request, precision: Pivot) -> Course:
    """What follows `request` on a target of this precision; NONE is for connections of which one request is read."""
    if precision is Pivot.NONE or not isinstance(request, RequestHead) or _is_last(request):
        return Course.NOTHING
    if request.chunked or (request.content_length or 0) > LARGEST_BODY[precision]:
        return Course.UNKNOWN
    if request.upgrade:
        return Course.AGREEMENT
    return Course.UNKNOWN if _may_be_last(request) else Course.REQUEST


def end(request: Request) -> int:
    """Bytes from the start of `request` to the end of its body, as far as its head says how long that is."""
    body = request.content_length if isinstance(request, RequestHead) else None
    return request.length + (body or 0)


def _is_last(head: RequestHead) -> bool:
    """Whether no server takes another request behind this one (RFC 9112 section 9.3)."""
    said = head.values("connection")
    if not said:
        return head.version == "1.0" and not head.upgrade
    return len(said) == 1 and said[0].lower() == "close"


def _may_be_last(head: RequestHead) -> bool:
    """Whether it is for a server that reads Connection as it should.

    Others go by the first or the last field of several, by a whole value, or by a part of a word, and
    would answer what we take for nothing: a client could have its next requests pass unread.
    """
    options = {option.strip(" \t").lower() for value in head.values("connection") for option in value.split(",")}
    return "close" in options or (head.version == "1.0" and "keep-alive" not in options)
