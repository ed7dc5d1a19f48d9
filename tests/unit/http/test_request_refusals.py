"""Requests that are refused: malformed ones, smuggled ones, ones that are not HTTP/1.x."""

from __future__ import annotations

import pytest

from slowpath.http.head import HeadReader
from slowpath.request import Refused
from tests.smuggling import ATTACKS, Attack


def refusal(data: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        HeadReader().feed(data)
    assert caught.value.why
    assert str(caught.value) == f"{caught.value.status}: {caught.value.why}"
    return caught.value


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_smuggling(attack: Attack) -> None:
    assert refusal(attack.data).status == attack.status


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_smuggling_byte_by_byte(attack: Attack) -> None:
    reader = HeadReader()
    with pytest.raises(Refused) as caught:
        for octet in attack.data:
            assert reader.feed(bytes((octet,))) is None
    assert caught.value.status == attack.status


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
