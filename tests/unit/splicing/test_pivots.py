"""What a request head says about the stream behind it."""

from __future__ import annotations

import pytest

from fastpath.records import Pivot
from slowpath.http.head import HeadReader
from slowpath.request import Nothing
from slowpath.splicing import pivots
from slowpath.splicing.pivots import Course


@pytest.mark.parametrize(
    ("head", "course"),
    [
        ("GET / HTTP/1.1\r\nHost: a", Course.REQUEST),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close", Course.NOTHING),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, Close", Course.UNKNOWN),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, close", Course.UNKNOWN),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive", Course.UNKNOWN),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: close", Course.UNKNOWN),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: x", Course.AGREEMENT),
        ("GET / HTTP/1.0\r\nHost: a", Course.NOTHING),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: close", Course.NOTHING),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: x-keep-alive", Course.UNKNOWN),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close", Course.UNKNOWN),
        ("GET / HTTP/1.0\r\nConnection: keep-alive", Course.REQUEST),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000", Course.REQUEST),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741825", Course.UNKNOWN),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", Course.UNKNOWN),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close", Course.NOTHING),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x", Course.AGREEMENT),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x", Course.REQUEST),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a", Course.AGREEMENT),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked",
            Course.UNKNOWN,
        ),
    ],
)
def test_what_follows(head: str, course: Course) -> None:
    request = HeadReader().feed(f"{head}\r\n\r\n".encode())
    assert request is not None
    assert pivots.course(request, Pivot.EXACT) is course
    assert pivots.course(request, Pivot.NONE) is Course.NOTHING


def test_a_body_before_a_pivot_of_one_bit_is_short() -> None:
    for length, course in ((65_536, Course.REQUEST), (65_537, Course.UNKNOWN)):
        request = HeadReader().feed(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
        assert request is not None
        assert pivots.course(request, Pivot.BIT) is course
        assert pivots.end(request) == request.length + length


def test_what_is_not_read_has_no_next_request() -> None:
    assert pivots.course(Nothing(), Pivot.EXACT) is Course.NOTHING
