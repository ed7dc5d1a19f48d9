"""The first request of an HTTP/2 connection, in pieces of any size, and what is refused with which error code."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st

from slowpath.http.h2_reader import PREFACE, ErrorCode, Http2Reader
from slowpath.http.h2_request import Http2Request
from slowpath.request import Refused

LIMIT = 16384
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "WWW.Example.com:80"), (":path", "/a/b?c=d")]
SETTINGS = SettingsFrame(0, {SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 20})


def block(fields: list[tuple[str, str]]) -> bytes:
    encoded: bytes = Encoder().encode(fields)
    return encoded


def stream(*frames: Frame, settings: Frame | None = SETTINGS) -> bytes:
    opening = () if settings is None else (settings,)
    return PREFACE + b"".join(frame.serialize() for frame in (*opening, *frames))


def headers(fields: list[tuple[str, str]], number: int = 1) -> HeadersFrame:
    return HeadersFrame(number, block(fields), flags=["END_HEADERS", "END_STREAM"])


def read(data: bytes) -> Http2Request:
    found = Http2Reader(LIMIT).feed(data)
    assert found is not None
    return found


def refusal(data: bytes, limit: int = LIMIT) -> tuple[int, ErrorCode | None]:
    reader = Http2Reader(limit)
    with pytest.raises(Refused) as raised:
        reader.feed(data)
    return raised.value.status, reader.error


def test_the_request_is_read() -> None:
    data = stream(headers([*GET, ("x-canary", "1"), ("x-canary", "2")]))
    found = read(data + b"more")
    assert (found.method, found.host, found.path, found.target) == ("GET", "www.example.com", "/a/b", "/a/b?c=d")
    assert (found.values("X-Canary"), found.values("x-other"), found.alpn) == (("1", "2"), (), ())
    assert found.length == len(data)


def test_what_comes_before_it_is_passed_over() -> None:
    window, priority = WindowUpdateFrame(0, 1000), PriorityFrame(3, depends_on=0, stream_weight=7)
    unknown = b"\0\0\7\x10\0\0\0\0\0\0\0\0\1u=1"  # PRIORITY_UPDATE
    rest = b"".join(frame.serialize() for frame in (SettingsFrame(0), PingFrame(0, bytes(8)), headers(GET, 5)))
    assert read(stream(window, priority) + unknown + rest).path == "/a/b"


def test_a_header_block_may_be_padded_and_come_in_parts() -> None:
    whole = block([*GET, ("cookie", "x" * 500)])
    first = HeadersFrame(1, whole[:3], pad_length=9, flags=["PADDED", "PRIORITY"])
    parts = [ContinuationFrame(1, whole[3:90]), ContinuationFrame(1, whole[90:], flags=["END_HEADERS"])]
    assert read(stream(first, *parts)).values("cookie") == ("x" * 500,)


def test_host_stands_in_for_authority() -> None:
    without = [field for field in GET if field[0] != ":authority"]
    assert read(stream(headers([*without, ("host", "b.example.com")]))).host == "b.example.com"
    assert read(stream(headers(without))).host == ""


@pytest.mark.parametrize(
    ("fields", "path", "target"),
    [
        ([(":method", "CONNECT"), (":authority", "a:443")], "", "a:443"),
        ([(":method", "CONNECT"), (":protocol", "websocket"), (":authority", "a"), (":path", "/x?y")], "/x", "/x?y"),
        ([(":method", "OPTIONS"), (":authority", "a"), (":path", "*")], "*", "*"),
    ],
    ids=["connect", "extended connect", "options"],
)
def test_special_targets(fields: list[tuple[str, str]], path: str, target: str) -> None:
    found = read(stream(headers(fields)))
    assert (found.host, found.path, found.target) == ("a", path, target)


@pytest.mark.parametrize(
    "fields",
    [
        [*GET, (":path", "/other")],
        [("accept", "*/*"), *GET],
        [*GET, (":status", "200")],
        [*GET, ("Upper", "case")],
        [*GET, ("a b", "1")],
        [*GET, ("x-a", "1\r\nx-b: 2")],
        [*GET[:3], (":path", "/a\r\nx-b: 2")],
        [*GET[:3], (":path", "/a#b")],
        [*GET[:3], (":path", "a")],
        [(":method", "GE T"), *GET[1:]],
        GET[1:],
        GET[:3],
        [(":method", "CONNECT"), (":authority", "a:1"), (":path", "/")],
        [*GET, ("host", "other.example.com")],
        [*GET[:2], (":authority", "a b"), GET[3]],
    ],
    ids=[
        *("path twice", "behind another", "status", "upper case", "no token", "two lines", "path of two lines"),
        *("fragment", "no absolute path", "malformed method", "no method", "no path", "CONNECT with a path"),
        *("two hosts", "malformed host"),
    ],
)
def test_a_malformed_request_is_refused(fields: list[tuple[str, str]]) -> None:
    assert refusal(stream(headers(fields))) == (400, ErrorCode.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        (PREFACE[:-1] + b"X", 400, ErrorCode.PROTOCOL_ERROR),
        (stream(headers(GET), settings=None), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(headers(GET), settings=SettingsFrame(0, flags=["ACK"])), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(headers(GET, 2)), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(DataFrame(1, b"x")), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(RstStreamFrame(1)), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(ContinuationFrame(1, b"")), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(HeadersFrame(1, b""), PingFrame(0, bytes(8))), 400, ErrorCode.PROTOCOL_ERROR),
        (stream(HeadersFrame(1, b""), ContinuationFrame(3, b"")), 400, ErrorCode.PROTOCOL_ERROR),
        (stream() + b"\0\0\0\1\4\0\0\0\0", 400, ErrorCode.PROTOCOL_ERROR),
        (stream() + b"\0\0\1\4\0\0\0\0\0x", 400, ErrorCode.PROTOCOL_ERROR),
        (stream() + b"\0\x40\1\1\4\0\0\0\1", 400, ErrorCode.FRAME_SIZE_ERROR),
        (stream(HeadersFrame(1, b"\xff\xff\xff", flags=["END_HEADERS"])), 400, ErrorCode.COMPRESSION_ERROR),
        (stream(*(PingFrame(0, bytes(8)) for _ in range(1000))), 431, ErrorCode.ENHANCE_YOUR_CALM),
        (stream(HeadersFrame(1, bytes(9000)), ContinuationFrame(1, bytes(9000))), 431, ErrorCode.ENHANCE_YOUR_CALM),
    ],
    ids=[
        *("preface", "no settings", "settings' ACK first", "even stream", "data", "reset", "continuation of nothing"),
        *("interrupted", "continued elsewhere", "headers of stream 0", "half a setting", "long frame", "compression"),
        *("pings without end", "headers without end"),
    ],
)
def test_a_malformed_stream_is_refused(data: bytes, status: int, error: ErrorCode) -> None:
    assert refusal(data) == (status, error)


def test_a_header_list_that_is_a_bomb_is_refused() -> None:
    encoder = Encoder()
    first = encoder.encode([*GET, ("x-bomb", "x" * 3000)])
    indexed = encoder.encode([("x-bomb", "x" * 3000)])
    assert len(indexed) == 1
    data = stream(HeadersFrame(1, first + indexed * 10, flags=["END_HEADERS"]))
    assert refusal(data) == (431, ErrorCode.ENHANCE_YOUR_CALM)


ACKNOWLEDGMENT = SettingsFrame(0, flags=["ACK"]).serialize()


def test_a_client_that_waits_is_greeted_once() -> None:
    reader = Http2Reader(LIMIT)
    assert reader.greeting() is None
    reader.feed(PREFACE)
    assert reader.greeting() is None
    reader.feed(SETTINGS.serialize()[:-1])
    assert reader.greeting() is None
    reader.feed(SETTINGS.serialize()[-1:])
    assert reader.greeting() == SettingsFrame(0).serialize()
    assert reader.greeting() is None


def test_a_client_in_the_middle_of_its_request_is_not_greeted() -> None:
    reader = Http2Reader(LIMIT)
    reader.feed(stream(HeadersFrame(1, block(GET)[:3])))
    assert reader.greeting() is None
    reader = Http2Reader(LIMIT)
    reader.feed(stream() + headers(GET).serialize()[:4])
    assert reader.greeting() is None


@pytest.mark.parametrize("order", ["before", "behind"])
def test_what_acknowledges_the_greeting_is_taken_out(order: str) -> None:
    """The server's own settings are acknowledged later, by another frame of the same kind."""
    request, body = headers(GET).serialize(), DataFrame(1, b"body").serialize()
    rest = {
        "before": ACKNOWLEDGMENT + request,
        "behind": request + body + ACKNOWLEDGMENT,
    }[order]
    reader = Http2Reader(LIMIT)
    assert reader.feed(stream()) is None
    assert reader.greeting()
    found = None
    for index, byte in enumerate(rest):
        assert found is None, index
        found = reader.feed(bytes([byte]))
    assert found is not None and found.path == "/a/b"
    assert found.length == len(stream() + rest)
    assert found.edited == (stream() + rest).replace(ACKNOWLEDGMENT, b"", 1)


def test_a_body_may_cross_the_greeting() -> None:
    """As much as a client may send before it has heard of any settings."""
    rest = headers(GET).serialize() + b"".join(DataFrame(1, bytes(13107)).serialize() for _ in range(5))
    reader = Http2Reader(1000)
    reader.feed(stream())
    assert reader.greeting()
    assert reader.feed(rest) is None
    found = reader.feed(ACKNOWLEDGMENT)
    assert found is not None and found.edited == stream() + rest


def test_an_acknowledgment_that_never_comes_is_waited_for_up_to_a_limit() -> None:
    reader = Http2Reader(1000)
    reader.feed(stream())
    assert reader.greeting()
    assert reader.feed(headers(GET).serialize()) is None
    with pytest.raises(Refused):
        for _ in range(9):
            reader.feed(DataFrame(1, bytes(1 << 14)).serialize())


@given(st.lists(st.integers(1, 600), max_size=10), st.integers(0, 5))
def test_whatever_the_pieces_the_same_is_read(cuts: list[int], windows: int) -> None:
    whole = block([*GET, ("cookie", "x" * 300)])
    parts = [HeadersFrame(1, whole[:9]), ContinuationFrame(1, whole[9:], flags=["END_HEADERS"])]
    data = stream(*(WindowUpdateFrame(0, 1) for _ in range(windows)), *parts)
    bounds = [0, *sorted(cut for cut in set(cuts) if cut < len(data)), len(data)]
    reader = Http2Reader(LIMIT)
    found = [reader.feed(data[start:end]) for start, end in pairwise(bounds)]
    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] == read(data)


@given(st.binary(max_size=200), st.data())
def test_nothing_but_a_refusal_comes_of_garbage(noise: bytes, data: st.DataObject) -> None:
    whole = bytearray(stream(WindowUpdateFrame(0, 9), headers([*GET, ("cookie", "x" * 50)])))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    noisy = stream(HeadersFrame(1, noise, flags=["END_HEADERS"]))
    for attempt in (noise, PREFACE + noise, stream() + noise, noisy, bytes(whole)):
        reader = Http2Reader(LIMIT)
        try:
            found = reader.feed(attempt)
        except Refused:
            assert reader.error is not None
        else:
            assert reader.complete == (found is not None)
