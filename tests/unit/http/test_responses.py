"""Responses in a row, in pieces of any size."""

from __future__ import annotations

import pytest

from slowpath.http.responses import Responses

_PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
_EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
_UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"
_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
_UNBOUNDED = b"HTTP/1.1 200 OK\r\n\r\nhello"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("methods", "stream"),
    [
        (["GET"], _PLAIN),
        (["GET"], _HINTS + _PLAIN),
        (["POST"], b"HTTP/1.1 100 Continue\r\n\r\n" + _CHUNKED),
        (["GET", "GET", "GET"], _CHUNKED + _EMPTY + _UNCHANGED),
        (["HEAD"], _HEAD),
        (["HEAD", "GET", "HEAD"], _HINTS + _HEAD + _PLAIN + _HEAD),
        (["GET", "HEAD"], _CHUNKED + _HEAD),
    ],
)
def test_it_tells_when_the_last_one_is_whole(methods: list[str], stream: bytes, size: int) -> None:
    responses = Responses(methods)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert not any(responses.feed(piece) for piece in pieces[:-1])
    assert not responses.complete
    assert responses.feed(pieces[-1])


def test_a_body_without_a_length_has_no_end() -> None:
    responses = Responses(["GET"])
    assert not responses.feed(_UNBOUNDED)
    assert not responses.feed(b"more")


def test_what_is_no_response_ends_the_count() -> None:
    assert Responses(["GET", "GET"]).feed(b"SSH-2.0-OpenSSH\r\n")


def test_what_follows_the_last_one_is_ignored() -> None:
    assert Responses(["GET"]).feed(_PLAIN + b"garbage")
