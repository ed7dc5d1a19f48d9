"""What is asked of a server over HTTP, and which responses are well."""

from __future__ import annotations

import pytest

from slowpath.health.exchange import CheckFailed
from slowpath.health.http_check import BODY_LIMIT, Contains, HttpCheck, HttpExchange
from slowpath.routing.matchers import Regex

SERVER = "10.2.0.2:80"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nall is \r\n4\r\nwell\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\nall is well"


def outcome(check: HttpCheck, response: bytes, *, pieces: int = 1 << 20, ends: bool = False) -> str:
    """The reason of the failure, `well`, or `waiting`, after `response` came in pieces."""
    exchange = HttpExchange(check, SERVER)
    try:
        for start in range(0, len(response), pieces):
            assert exchange.receive(response[start : start + pieces]) == b""
        if ends and not exchange.done:
            exchange.ended()
    except CheckFailed as failure:
        assert str(failure)
        return failure.reason
    return "well" if exchange.done else "waiting"


def test_the_request() -> None:
    assert HttpExchange(HttpCheck("/healthz"), SERVER).start() == (
        b"GET /healthz HTTP/1.1\r\nHost: 10.2.0.2:80\r\nUser-Agent: l7lb\r\nConnection: close\r\n\r\n"
    )


def test_the_request_with_everything() -> None:
    check = HttpCheck("/", "HEAD", "www.example.com", (("user-agent", "probe"), ("X-Probe", "1")))
    assert HttpExchange(check, SERVER).start() == (
        b"HEAD / HTTP/1.1\r\nHost: www.example.com\r\nuser-agent: probe\r\nConnection: close\r\nX-Probe: 1\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("status", "statuses", "expected"),
    [
        (200, None, "well"),
        (399, None, "well"),
        (400, None, "status"),
        (101, None, "status"),
        (503, (range(200, 300), range(503, 504)), "well"),
        (200, (range(503, 504),), "status"),
    ],
)
def test_the_status(status: int, statuses: tuple[range, ...] | None, expected: str) -> None:
    check = HttpCheck("/") if statuses is None else HttpCheck("/", statuses=statuses)
    assert outcome(check, b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status) == expected


@pytest.mark.parametrize("pieces", [1, 7, 1000])
@pytest.mark.parametrize("response", [LENGTH, CHUNKED, UNTIL_CLOSE], ids=["length", "chunked", "until-close"])
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Contains("is well"), "well"),
        (Contains("is ill"), "body"),
        (Regex("^all .* well$"), "well"),
        (Regex("^is"), "body"),
    ],
)
def test_the_body(pattern: Contains | Regex, expected: str, response: bytes, pieces: int) -> None:
    assert outcome(HttpCheck("/", body=pattern), response, pieces=pieces, ends=True) == expected


def test_a_body_is_waited_for() -> None:
    check = HttpCheck("/", body=Contains("well"))
    assert outcome(check, LENGTH[:-1]) == "waiting"
    assert outcome(check, UNTIL_CLOSE) == "waiting"
    assert outcome(HttpCheck("/"), LENGTH[:-11]) == "well"


def test_a_long_body_is_read_in_part() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * (BODY_LIMIT - 4)
    assert outcome(HttpCheck("/", body=Contains("well")), long + b"well") == "well"
    assert outcome(HttpCheck("/", body=Contains("well")), long + b"x" + b"well", pieces=1460) == "body"


def test_a_status_comes_before_the_body() -> None:
    assert outcome(HttpCheck("/", body=Contains("well")), b"HTTP/1.1 500 X\r\nContent-Length: 11\r\n\r\n") == "status"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", "closed"),
        (LENGTH[:20], "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed"),
        (CHUNKED.replace(b"7\r\n", b"z\r\n"), "malformed"),
    ],
)
def test_what_is_no_response(response: bytes, reason: str) -> None:
    assert outcome(HttpCheck("/", body=Contains("well")), response, ends=True) == reason


def test_a_second_response_is_not_the_bodys() -> None:
    assert outcome(HttpCheck("/", body=Contains("ill")), LENGTH + LENGTH.replace(b"well", b"ill!")) == "body"


def test_bytes_that_are_no_text() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\xff\xfewell"
    assert outcome(HttpCheck("/", body=Contains("well")), response) == "well"
