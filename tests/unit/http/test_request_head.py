"""Well-formed request heads, and what a reader makes of a byte stream."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slowpath.http.head import HeadReader, RequestHead
from slowpath.request import Refused

SIMPLE = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


def read(data: bytes, limit: int = 16384) -> RequestHead:
    head = HeadReader(limit).feed(data)
    assert head is not None
    return head


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join((line, *fields, "", "")).encode()


def test_everything_a_head_says() -> None:
    data = request(
        "POST /Upload/a%20b/../c?q=/x HTTP/1.1",
        "Host: Img.Example.COM:8080",
        "Content-Length: 12 ",
        "X-Tag:one",
        "x-tag: \t two \t",
        "X-Empty:",
    )
    assert read(data + b"twelve bytes") == RequestHead(
        method="POST",
        target="/Upload/a%20b/../c?q=/x",
        path="/Upload/a%20b/../c",
        host="img.example.com",
        headers={
            "host": ("Img.Example.COM:8080",),
            "content-length": ("12",),
            "x-tag": ("one", "two"),
            "x-empty": ("",),
        },
        version="1.1",
        length=len(data),
        content_length=12,
        chunked=False,
        upgrade=False,
    )


def test_header_lookup_ignores_case() -> None:
    head = read(request("GET / HTTP/1.1", "Host: a", "X-Tag: one", "x-TAG: two"))
    assert head.values("X-tag") == ("one", "two")
    assert head.values("x-other") == ()


@pytest.mark.parametrize(
    ("line", "host_field", "host", "path"),
    [
        ("GET / HTTP/1.1", "a.example", "a.example", "/"),
        ("GET /?x HTTP/1.1", "a.example.", "a.example", "/"),
        ("GET //b//c HTTP/1.1", "a_b.example:80", "a_b.example", "//b//c"),
        ("GET / HTTP/1.1", "192.0.2.1:80", "192.0.2.1", "/"),
        ("GET / HTTP/1.1", "[2001:DB8::1]:80", "[2001:db8::1]", "/"),
        ("GET / HTTP/1.1", "", "", "/"),
        ("GET / HTTP/1.1", "a:", "a", "/"),
        ("GET http://B.example:80/c?d HTTP/1.1", "b.example", "b.example", "/c"),
        ("GET HTTPS://b HTTP/1.1", "b:443", "b", "/"),
        ("GET http://b?d HTTP/1.1", "B.", "b", "/"),
        ("OPTIONS * HTTP/1.1", "a", "a", "*"),
        ("CONNECT b:443 HTTP/1.1", "b", "b", ""),
    ],
)
def test_host_and_path_in_every_form_of_target(line: str, host_field: str, host: str, path: str) -> None:
    head = read(request(line, f"Host: {host_field}"))
    assert (head.host, head.path, head.target) == (host, path, line.split()[1])


def test_http_1_0_needs_no_host() -> None:
    head = read(b"GET /a HTTP/1.0\r\n\r\n")
    assert (head.version, head.host, head.path) == ("1.0", "", "/a")


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "chunked "])
def test_chunked(coding: str) -> None:
    head = read(request("POST / HTTP/1.1", "Host: a", f"Transfer-Encoding: {coding}") + b"5\r\nhello\r\n")
    assert head.chunked
    assert head.content_length is None


@pytest.mark.parametrize(
    ("line", "fields", "upgrade"),
    [
        ("GET / HTTP/1.1", ["Connection: keep-alive, Upgrade", "Upgrade: websocket"], True),
        ("GET / HTTP/1.1", ["Upgrade: h2c", "Connection: upgrade, HTTP2-Settings"], True),
        ("CONNECT a:443 HTTP/1.1", [], True),
        ("GET / HTTP/1.1", ["Upgrade: websocket"], False),
        ("GET / HTTP/1.1", ["Connection: upgrade"], False),
        ("GET / HTTP/1.1", ["Connection: close"], False),
    ],
)
def test_upgrade(line: str, fields: list[str], upgrade: bool) -> None:
    data = request(line, "Host: a", *fields)
    head = read(data + b"\x81\x05hello")
    assert (head.upgrade, head.length) == (upgrade, len(data))


def test_empty_lines_first_are_part_of_the_head() -> None:
    assert read(b"\r\n\r\n" + SIMPLE).length == 4 + len(SIMPLE)


def test_a_pipelined_request_is_left_alone() -> None:
    assert read(SIMPLE * 2).length == len(SIMPLE)


def test_value_that_is_not_utf_8_is_readable() -> None:
    head = read(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\xff\r\n\r\n")
    assert head.values("x") == ("é\N{REPLACEMENT CHARACTER}",)


def test_a_head_of_exactly_the_limit_passes() -> None:
    assert read(SIMPLE + b"body", limit=len(SIMPLE)).length == len(SIMPLE)


def test_a_head_over_the_limit_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        HeadReader(len(SIMPLE) - 1).feed(SIMPLE)
    assert refusal.value.status == 431
    assert str(len(SIMPLE) - 1) in refusal.value.why


def test_header_fields_are_counted() -> None:
    fields = b"X: y\r\n" * 4
    assert HeadReader(header_count=5).feed(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    with pytest.raises(Refused) as refusal:
        HeadReader(header_count=4).feed(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    assert refusal.value.status == 431
    assert "4 header fields" in refusal.value.why


def test_a_target_has_a_length() -> None:
    line = b"GET /12345 HTTP/1.1\r\n"
    assert HeadReader(target_limit=6).feed(line + b"Host: a\r\n\r\n")
    with pytest.raises(Refused) as refusal:
        HeadReader(target_limit=5).feed(line)
    assert refusal.value.status == 414


def test_a_target_over_its_limit_is_called_so_before_what_follows_it_is_malformed() -> None:
    with pytest.raises(Refused) as refusal:
        HeadReader(target_limit=5).feed(b"GET /12345 HTTP/1.1\r\n\0: a\r\n\r\n")
    assert refusal.value.status == 414


def test_empty_lines_count_toward_the_limit() -> None:
    with pytest.raises(Refused) as refusal:
        HeadReader(100).feed(b"\r\n" * 51)
    assert refusal.value.status == 431


def outcome(pieces: list[bytes], limit: int = 256) -> RequestHead | tuple[int, str] | None:
    reader = HeadReader(limit)
    try:
        for piece in pieces:
            head = reader.feed(piece)
            if head is not None:
                return head
    except Refused as refusal:
        return refusal.status, refusal.why
    return None


TOKENS = st.sampled_from(
    [
        *(b"GET", b"POST", b"CONNECT", b"OPTIONS", b"PRI", b"FOO", b"/", b"/a?b", b"*", b"http://h/p", b"h:1"),
        *(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/2.0\r\n", b" HTTP/", b"1", b"9", b".", b" ", b"\t", b":"),
        *(b"Host: a\r\n", b"Host:", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"X" * 80),
        *(b"Connection: upgrade\r\n", b"Upgrade: x\r\n", b"\r\n", b"\r", b"\n", b"\x00", b"\x16\x03", b"\xff", b"#"),
    ]
)
STREAMS = st.one_of(
    st.binary(max_size=300),
    st.lists(TOKENS, max_size=12).map(b"".join),
    st.lists(TOKENS, max_size=6).map(lambda tokens: b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(tokens) + b"\r\n\r\n"),
)


@given(STREAMS, st.lists(st.integers(0, 300), max_size=6))
@example(b"\r\n\n\r\n\r\n" + SIMPLE, [1, 3])
@example(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [13])
@example(SIMPLE + b"\r\n\r\n", [36, 37])
def test_how_a_stream_is_cut_changes_nothing_and_only_refusals_escape(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert outcome(pieces) == outcome([data]) == outcome([data[i : i + 1] for i in range(len(data))])
