"""Requests as balancing sees them."""

from __future__ import annotations

from slowpath.http.head import HeadReader
from slowpath.request import Request


def request(*fields: str, path: str = "/") -> Request:
    """The request for `path` with these header fields, each `Name: value`."""
    lines = [f"GET {path} HTTP/1.1", "Host: a.example", *fields]
    head = HeadReader().feed("\r\n".join([*lines, "", ""]).encode())
    assert head is not None
    return head
