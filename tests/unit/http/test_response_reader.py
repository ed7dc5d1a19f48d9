"""Response heads as health checks read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.http.answers import STATUSES, standard
from slowpath.http.response import LIMIT, MalformedResponse, ResponseReader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (OK, 200),
        (OK + b"ok", 200),
        (OK + b"ok and more than was promised", 200),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", 404),
        (b"HTTP/1.1 204\r\n\r\n", 204),
        (b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Unasked For\r\n\r\n", 204),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, 200),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\x81", 101),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk", 200),
    ],
)
def test_the_status(data: bytes, status: int) -> None:
    assert ResponseReader().feed(data) == status


def test_incomplete_heads() -> None:
    reader = ResponseReader()
    assert [reader.feed(OK[i : i + 1]) for i in range(len(OK))] == [None] * (len(OK) - 1) + [200]
    assert reader.feed(b"ok") == 200


def test_an_interim_response_is_not_the_answer() -> None:
    assert ResponseReader().feed(b"HTTP/1.1 100 Continue\r\n\r\n") is None


@pytest.mark.parametrize(
    "data", [b"\x15\x03\x01", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 OK\r\n\r\n", b"GET / HTTP/1.1\r\n"]
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResponse, match=r"\w+"):
        ResponseReader().feed(data)


def test_endless() -> None:
    reader = ResponseReader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\nX: ") is None
    with pytest.raises(MalformedResponse, match=f"longer than {LIMIT} bytes"):
        reader.feed(b"x" * LIMIT)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_it_reads_our_own_answers(status: int) -> None:
    assert ResponseReader().feed(standard(status).encoded()) == status


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\nA: b\r\n" + tail))
def test_nothing_else_escapes(data: bytes) -> None:
    try:
        status = ResponseReader().feed(data)
    except MalformedResponse:
        return
    assert status is None or status >= 101
