"""Heads that come again: what is kept of them, and that they are read as the first time."""

from __future__ import annotations

import pytest

from slowpath.http.head import DEFAULT_HEADER_COUNT, DEFAULT_LIMIT, DEFAULT_TARGET_LIMIT, RequestHead
from slowpath.http.known_heads import LONGEST, MOST, KnownHeads
from slowpath.request import Refused
from slowpath.splicing.protocols import Http

LIMITS = (DEFAULT_LIMIT, DEFAULT_HEADER_COUNT, DEFAULT_TARGET_LIMIT)


def request(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode()


def read(heads: KnownHeads, data: bytes) -> RequestHead:
    head = heads.reader().feed(data)
    assert head is not None
    heads.note(data, head)
    return head


def test_a_head_is_known_when_it_has_come_twice() -> None:
    heads = KnownHeads(*LIMITS)
    read(heads, request("/"))
    assert heads.get(request("/")) is None
    second = read(heads, request("/"))
    assert heads.get(request("/")) is second
    assert heads.get(request("/other")) is None


@pytest.mark.parametrize(
    "data", [request("/") + b"more", request("/", f"X: {'x' * LONGEST}\r\n")], ids=["more", "long"]
)
def test_what_is_more_than_a_short_head_is_not_kept(data: bytes) -> None:
    heads = KnownHeads(*LIMITS)
    for _ in range(3):
        read(heads, data)
    assert heads.get(data) is None


def test_no_more_than_so_many_are_kept() -> None:
    heads = KnownHeads(*LIMITS)
    paths = [request(f"/{number}") for number in range(MOST + 1)]
    for data in paths * 2:
        read(heads, data)
    assert sum(heads.get(data) is not None for data in paths) == 1


def test_an_opening_reads_a_known_head_as_an_unknown_one() -> None:
    protocol = Http(DEFAULT_LIMIT)
    heads = [protocol.opening(first=first).feed(request("/")) for first in (True, False) * 2]
    assert heads[0] is not heads[1]
    assert heads[1] is heads[2] is heads[3]
    assert heads[0] == heads[1]


def test_a_known_head_that_comes_in_parts_is_read_as_ever() -> None:
    protocol = Http(DEFAULT_LIMIT)
    for _ in range(3):
        assert protocol.opening().feed(request("/")) is not None
    opening = protocol.opening()
    assert opening.feed(b"GET / HTTP/1.1\r\n") is None
    with pytest.raises(Refused):
        opening.feed(request("/"))
