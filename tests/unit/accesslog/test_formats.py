"""Lines of the access log."""

from __future__ import annotations

import json

import pytest

from slowpath.accesslog.entry import Ended, Entry
from slowpath.accesslog.formats import combined_line, json_line
from slowpath.wire.endpoint import Endpoint

MOMENT = 1_700_000_000.25  # 2023-11-14 22:13:20 UTC
CLIENT, VIP, SERVER = map(Endpoint.parse, ("[2001:db8::2]:40000", "[2001:db8::100]:80", "10.2.0.2:8080"))


def spliced() -> Entry:
    return Entry(
        started=17.0,
        client=CLIENT,
        vip=VIP,
        listener="web",
        protocol="http",
        method="GET",
        target="/a?b=c",
        host="example.com",
        version="1.1",
        referer="http://a/",
        user_agent="curl/8",
        request_id="7f",
        pool="images",
        server=SERVER,
        bytes_in=80,
        bytes_out=5000,
        packets_in=3,
        packets_out=5,
        connect=0.0012345678,
        duration=0.25,
    )


def blank() -> Entry:
    return Entry(17.0, CLIENT, VIP, "web", "tcp", status=503, ended=Ended.ANSWERED)


def test_json() -> None:
    assert json.loads(json_line(spliced(), MOMENT)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "client": "[2001:db8::2]:40000",
        "vip": "[2001:db8::100]:80",
        "listener": "web",
        "protocol": "http",
        "method": "GET",
        "target": "/a?b=c",
        "host": "example.com",
        "version": "1.1",
        "referer": "http://a/",
        "user_agent": "curl/8",
        "request_id": "7f",
        "pool": "images",
        "server": "10.2.0.2:8080",
        "status": None,
        "bytes_in": 80,
        "bytes_out": 5000,
        "packets_in": 3,
        "packets_out": 5,
        "connect": 0.001235,
        "duration": 0.25,
        "ended": "closed",
    }


def test_json_of_what_is_not_known() -> None:
    said = {key: value for key, value in json.loads(json_line(blank(), MOMENT)).items() if value is not None}
    assert list(said) == ["time", "client", "vip", "listener", "protocol", "status", "ended"]


def test_json_keys_are_always_the_same() -> None:
    first, second = (json.loads(json_line(entry, MOMENT)) for entry in (spliced(), blank()))
    assert list(first) == list(second)


def test_combined() -> None:
    assert combined_line(spliced(), MOMENT) == (
        '2001:db8::2 - - [14/Nov/2023:22:13:20 +0000] "GET /a?b=c HTTP/1.1" - 5000 "http://a/" "curl/8" '
        "images 10.2.0.2:8080 80 0.001235 0.25 closed"
    )


def test_combined_of_what_is_not_known() -> None:
    assert combined_line(blank(), MOMENT) == (
        '2001:db8::2 - - [14/Nov/2023:22:13:20 +0000] "-" 503 - "-" "-" - - - - - answered'
    )


@pytest.mark.parametrize("text", ["\n", '"', "\\", "\x1b[31m", "ä", "\x7f", "\u2028", "\ud800", "\r\n10.0.0.1 - -"])
def test_nobody_breaks_out_of_a_line(text: str) -> None:
    entry = spliced()
    entry.target = entry.referer = entry.user_agent = entry.host = entry.request_id = text
    as_json, as_combined = json_line(entry, MOMENT), combined_line(entry, MOMENT)
    for line in (as_json, as_combined):
        assert line.isascii()
        assert line.isprintable()
    assert json.loads(as_json)["user_agent"] == text
    assert as_combined.count('"') == 6


def test_combined_escapes_as_bytes() -> None:
    entry = spliced()
    entry.user_agent = 'a"\\\nä'
    assert r'"a\x22\x5C\x0A\xC3\xA4"' in combined_line(entry, MOMENT)
