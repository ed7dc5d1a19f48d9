"""Requests that are refused: malformed ones, smuggled ones, ones that are not HTTP/1.x."""

from __future__ import annotations

import pytest

from slowpath.http.head import HeadReader
from slowpath.request import Refused

HOST = b"Host: a\r\n"


def refusal(data: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        HeadReader().feed(data)
    assert caught.value.why
    assert str(caught.value) == f"{caught.value.status}: {caught.value.why}"
    return caught.value


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"Content-Length: 5\r\nContent-Length: 6\r\n", id="two lengths"),
        pytest.param(b"Content-Length: 5\r\nContent-Length: 5\r\n", id="the same length twice"),
        pytest.param(b"Content-Length: 5, 5\r\n", id="a list of lengths"),
        pytest.param(b"Content-Length: +5\r\n", id="a signed length"),
        pytest.param(b"Content-Length: -5\r\n", id="a negative length"),
        pytest.param(b"Content-Length: 0x5\r\n", id="a hexadecimal length"),
        pytest.param(b"Content-Length: 5_0\r\n", id="an underscore in a length"),
        pytest.param(b"Content-Length: 5 0\r\n", id="a space in a length"),
        pytest.param(b"Content-Length:\r\n", id="an empty length"),
        pytest.param(b"Content-Length: 18446744073709551616\r\n", id="a length over 64 bits"),
        pytest.param(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", id="CL.TE"),
        pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", id="TE.CL"),
        pytest.param(b"Transfer-Encoding: chunked, identity\r\n", id="chunked not last"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", id="chunked not last, two fields"
        ),
        pytest.param(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", id="chunked twice"),
        pytest.param(b"Transfer-Encoding: xchunked\r\n", id="xchunked"),
        pytest.param(b"Transfer-Encoding: identity\r\n", id="identity"),
        pytest.param(b"Transfer-Encoding: gzip\r\n", id="gzip alone"),
        pytest.param(b'Transfer-Encoding: "x, chunked"\r\n', id="chunked in quotes"),
        pytest.param(b"Transfer-Encoding: \x0bchunked\r\n", id="vertical tab before chunked"),
        pytest.param(b"Transfer-Encoding:\r\n", id="an empty coding"),
        pytest.param(b"Transfer-Encoding : chunked\r\n", id="space before the colon"),
        pytest.param(b"Transfer-Encoding\t: chunked\r\n", id="tab before the colon"),
        pytest.param(b"X: a\r\n Transfer-Encoding: chunked\r\n", id="obs-fold"),
        pytest.param(b"X:\r\n\tb\r\n", id="obs-fold after nothing"),
        pytest.param(b"X: a\rTransfer-Encoding: chunked\r\n", id="bare CR"),
        pytest.param(b"X: a\nTransfer-Encoding: chunked\r\n", id="bare LF"),
        pytest.param(b"X: a\x00b\r\n", id="NUL in a value"),
        pytest.param(b"X(: a\r\n", id="not a token"),
        pytest.param(b"\x80: a\r\n", id="not ASCII"),
        pytest.param(b": a\r\n", id="no name"),
        pytest.param(b"X\r\n", id="no colon"),
        pytest.param(b"Host: b\r\n", id="a second Host"),
        pytest.param(b"Host: a\r\n", id="the same Host twice"),
    ],
)
def test_fields(fields: bytes) -> None:
    assert refusal(b"POST / HTTP/1.1\r\n" + HOST + fields + b"\r\n").status == 400


def test_http_1_1_needs_a_host() -> None:
    assert refusal(b"GET / HTTP/1.1\r\n\r\n").why == "0 Host fields instead of one"


def test_http_1_0_has_one_host_at_most() -> None:
    assert refusal(b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").status == 400


def test_http_1_0_has_no_transfer_encoding() -> None:
    assert refusal(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status == 400


@pytest.mark.parametrize("host", ["a b", "a/b", "user@a", "a:b", "a:80:80", "[::1", "::1", "a, b", "a\\b", "ä"])
def test_malformed_host(host: str) -> None:
    assert refusal(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).status == 400


@pytest.mark.parametrize("host", ["a b", "user@a"])
def test_malformed_host_behind_a_target_that_names_another(host: str) -> None:
    assert refusal(f"GET http://a/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).why == "a malformed host name"


@pytest.mark.parametrize(
    "line",
    [
        *("GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/ HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 "),
        *("GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1x1", "GET / HTTP/11", "GET /a b HTTP/1.1", "GET HTTP/1.1"),
        *("GET / HTTP/1.10", "GET / HTTP/1.1x", "GET"),
        *("get / HTTP/1.1", "MADEUP / HTTP/1.1", "DESCRIBE / RTSP/1.0", "SOURCE / ICE/1.0", "HTTP/1.1 200 OK"),
        *("GET a HTTP/1.1", "GET * HTTP/1.1", "GET /a#b HTTP/1.1", "GET ftp://a/ HTTP/1.1", "GET http:///b HTTP/1.1"),
        *(
            "GET http://user@a/ HTTP/1.1",
            "CONNECT * HTTP/1.1",
            "CONNECT /a HTTP/1.1",
            "CONNECT a HTTP/1.1",
            "CONNECT :80 HTTP/1.1",
            "GET http://:80/ HTTP/1.1",
            "OPTIONS a:80 HTTP/1.1",
        ),
        *("GET /é HTTP/1.1", "GET /\x01 HTTP/1.1", "GET /\x7f HTTP/1.1"),
    ],
)
def test_request_line(line: str) -> None:
    assert refusal(f"{line}\r\nHost: a\r\n\r\n".encode()).status == 400


@pytest.mark.parametrize("lead", [b"\r", b"\n", b"\r\r\n", b"\r\n\n", b"\n\r\n\r\n"])
def test_half_an_empty_line_first(lead: bytes) -> None:
    assert refusal(lead + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/2",
        b"GET / HTTP/1.2",
        b"GET / HTTP/0.9\r\n",
        b"GET /\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_other_versions_of_http(data: bytes) -> None:
    assert refusal(data).status == 505


@pytest.mark.parametrize("first", [b"\x16", b"\x80", b"\x00", b"{", b"SSH-"])
def test_what_is_no_http_is_refused_at_its_first_bytes(first: bytes) -> None:
    assert refusal(first).status == 400


def test_tls_is_called_by_its_name() -> None:
    assert "TLS" in refusal(bytes.fromhex("1603010200010001fc0303")).why
