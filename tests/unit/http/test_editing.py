"""Request heads as servers get them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slowpath.http.editing import NO_EDITS, FieldEdits, HeadEdits, Identity, edited
from slowpath.http.head import HeadReader, RequestHead
from slowpath.http.rewriting import FullPath, PrefixPath
from slowpath.request import Refused
from slowpath.wire.endpoint import Endpoint

CLIENT = Endpoint.parse("192.0.2.7:40000")
CLIENT_V6 = Endpoint.parse("[2001:db8::7]:40000")
PROXY = (bytes((192, 0, 2, 0)), 24)
ELSEWHERE = (bytes((198, 51, 100, 0)), 24)


def read(raw: bytes) -> RequestHead:
    head = HeadReader(65536).feed(raw)
    assert head is not None
    return head


def request(*lines: str, start: str = "GET /a?q=1 HTTP/1.1", host: str = "www.example.com") -> bytes:
    return "\r\n".join([start, f"Host: {host}", *lines, "", ""]).encode()


def edit(raw: bytes, edits: HeadEdits = NO_EDITS, client: Endpoint = CLIENT, *, close: bool = False) -> list[str]:
    """The lines of the edited head."""
    result = edited(raw, read(raw), edits, client, close=close)
    assert read(result).length == len(result)
    return result.decode().removesuffix("\r\n\r\n").split("\r\n")


def test_what_is_not_edited_keeps_its_bytes_and_its_place() -> None:
    raw = request("ACCEPT:*/*", "x-a:  1 ", "X-A: 2", "Cookie: a=b; c=d", "Connection:  keep-alive,  x-b")
    assert edited(raw, read(raw), NO_EDITS, CLIENT) == raw
    added = HeadEdits(fields=[FieldEdits(set={"x-new": "1"})])
    assert edited(raw, read(raw), added, CLIENT) == raw[:-2] + b"x-new: 1\r\n\r\n"


def test_empty_lines_before_the_request_are_left_out() -> None:
    raw = b"\r\n\r\n" + request()
    assert edited(raw, read(raw), NO_EDITS, CLIENT) == request()


@pytest.mark.parametrize(
    ("identity", "client", "expected"),
    [
        (Identity.X_FORWARDED_FOR, CLIENT, "X-Forwarded-For: 192.0.2.7"),
        (Identity.X_FORWARDED_FOR, CLIENT_V6, "X-Forwarded-For: 2001:db8::7"),
        (Identity.X_REAL_IP, CLIENT, "X-Real-IP: 192.0.2.7"),
        (Identity.X_FORWARDED_PROTO, CLIENT, "X-Forwarded-Proto: http"),
        (Identity.FORWARDED, CLIENT, "Forwarded: for=192.0.2.7;host=www.example.com;proto=http"),
        (Identity.FORWARDED, CLIENT_V6, 'Forwarded: for="[2001:db8::7]";host=www.example.com;proto=http'),
        (Identity.X_REQUEST_ID, CLIENT, f"X-Request-ID: {'0' * 30}ff"),
    ],
)
def test_servers_learn_who_the_client_is(identity: Identity, client: Endpoint, expected: str) -> None:
    edits = HeadEdits([identity], random_bits=lambda bits: {128: 0xFF}[bits])
    assert edit(request(), edits, client)[2:] == [expected]


def test_a_host_that_is_no_token_is_quoted_in_forwarded() -> None:
    edits = HeadEdits([Identity.FORWARDED])
    assert edit(request(host="[::1]:80"), edits)[2:] == ['Forwarded: for=192.0.2.7;host="[::1]:80";proto=http']
    assert edit(b"GET / HTTP/1.0\r\n\r\n", edits)[1:] == ["Forwarded: for=192.0.2.7;proto=http"]


@pytest.mark.parametrize("trusted", [[], [ELSEWHERE], [(bytes(16), 0)]], ids=["nobody", "others", "ipv6"])
def test_a_client_cannot_say_who_it_is(trusted: list[tuple[bytes, int]]) -> None:
    """Neither by the field, nor by a name that some servers take for it, nor by having ours removed on the way."""
    raw = request(
        "X-Forwarded-For: 1.1.1.1",
        "x-forwarded-for: 2.2.2.2",
        "X_Forwarded_For: 3.3.3.3",
        "X-Real_Ip: 4.4.4.4",
        "X.Real.IP: 5.5.5.5",
        "Connection: X-Forwarded-For, close, x_real_ip",
        "Connection: x-real-ip",
    )
    edits = HeadEdits([Identity.X_FORWARDED_FOR, Identity.X_REAL_IP], trusted)
    assert edit(raw, edits)[2:] == ["Connection: close", "X-Forwarded-For: 192.0.2.7", "X-Real-IP: 192.0.2.7"]


def test_what_a_trusted_proxy_says_is_continued_or_kept() -> None:
    said = {
        "X-Forwarded-For": "1.1.1.1",
        "Forwarded": "for=1.1.1.1",
        "X-Real-IP": "1.1.1.1",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "abc",
    }
    raw = request(*(f"{name}: {value}" for name, value in said.items()), "X-Forwarded-For: 2.2.2.2, 3.3.3.3")
    kept = {name.partition(":")[0]: name.partition(": ")[2] for name in edit(raw, HeadEdits(list(Identity), [PROXY]))}
    assert kept["X-Forwarded-For"] == "1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7"
    assert kept["Forwarded"] == "for=1.1.1.1, for=192.0.2.7;host=www.example.com;proto=http"
    assert {name: kept[name] for name in ("X-Real-IP", "X-Forwarded-Proto", "X-Request-ID")} == {
        name: said[name] for name in ("X-Real-IP", "X-Forwarded-Proto", "X-Request-ID")
    }


def test_a_trusted_proxy_that_says_nothing_is_the_client() -> None:
    edits = HeadEdits([Identity.X_FORWARDED_FOR, Identity.X_REAL_IP, Identity.X_FORWARDED_PROTO], [PROXY])
    ours = ["X-Forwarded-For: 192.0.2.7", "X-Real-IP: 192.0.2.7", "X-Forwarded-Proto: http"]
    assert edit(request("X-Real-IP:"), edits)[2:] == ours


def test_fields_are_set_added_and_removed() -> None:
    edits = HeadEdits(fields=[FieldEdits({"X-Set": "new"}, {"x-add": "more"}, frozenset({"x-gone"}))])
    raw = request("x-set: 1", "X-SET: 2", "X-Add: 1", "x-gone: 1", "X-Kept: 1", "Connection: x-add, x-set, x-gone")
    assert edit(raw, edits)[2:] == ["X-Add: 1", "X-Kept: 1", "X-Set: new", "x-add: more"]


def test_what_comes_later_has_the_last_word() -> None:
    """The identity, then the listener's fields, then the route's."""
    listener = FieldEdits({"x-a": "1", "x-b": "1", "x-forwarded-proto": "https"}, {"x-c": "1"})
    route = FieldEdits({"X-A": "2"}, {"x-c": "2"}, frozenset({"x-b"}))
    edits = HeadEdits([Identity.X_FORWARDED_PROTO], fields=[listener, route])
    assert sorted(edit(request(), edits)[2:]) == ["X-A: 2", "x-c: 1", "x-c: 2", "x-forwarded-proto: https"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/foo/bar?q=/foo", "/xyz/bar?q=/foo"),
        ("http://www.example.com/foo/bar", "http://new.example.com/xyz/bar"),
        ("HTTP://www.example.com:80/foo", "HTTP://new.example.com/xyz"),
    ],
)
def test_host_and_path_are_rewritten_and_the_query_stays(target: str, expected: str) -> None:
    edits = HeadEdits(hostname="new.example.com", path=PrefixPath("/foo", "/xyz"))
    lines = edit(request("x-a: 1", start=f"GET {target} HTTP/1.1"), edits)
    assert lines == [f"GET {expected} HTTP/1.1", "x-a: 1", "Host: new.example.com"]


def test_an_absolute_target_without_a_path_gets_one() -> None:
    edits = HeadEdits(path=FullPath("/index"))
    assert edit(request(start="GET http://a?q HTTP/1.1", host="a"), edits)[0] == "GET http://a/index?q HTTP/1.1"


@pytest.mark.parametrize("start", ["OPTIONS * HTTP/1.1", "CONNECT a.example:443 HTTP/1.1"])
def test_a_target_that_has_no_path_stays(start: str) -> None:
    raw = request(start=start, host="a.example:443")
    assert edit(raw, HeadEdits(hostname="b", path=FullPath("/x")))[0] == start


def test_a_request_without_host_gets_one() -> None:
    assert edit(b"GET / HTTP/1.0\r\n\r\n", HeadEdits(hostname="a")) == ["GET / HTTP/1.0", "Host: a"]


@pytest.mark.parametrize("offer", ["H2C", "HTTP/2.0", "TLS/1.0"])
def test_other_ways_of_speaking_http_are_not_offered_to_the_server(offer: str) -> None:
    """None of the later requests could be edited."""
    raw = request("Connection: Upgrade, HTTP2-Settings", f"Upgrade: foo, {offer}", "HTTP2-Settings: AAMAAABk")
    assert edit(raw) == ["GET /a?q=1 HTTP/1.1", "Host: www.example.com"]


def test_an_upgrade_to_something_else_is_passed_on() -> None:
    websocket = request("Connection: Upgrade", "Upgrade: websocket")
    assert edited(websocket, read(websocket), NO_EDITS, CLIENT) == websocket


@pytest.mark.parametrize(
    ("given_lines", "left"),
    [
        ([], []),
        (["Connection: keep-alive"], []),
        (["Connection: close", "TE: gzip", "Connection: te, keep-alive"], ["TE: gzip"]),
    ],
)
def test_a_server_is_asked_to_close_in_one_word(given_lines: list[str], left: list[str]) -> None:
    assert edit(request(*given_lines), close=True)[2:] == [*left, "Connection: close"]


names = st.sampled_from(["X-A", "x_a", "Accept", "Connection", "Forwarded", "X-Forwarded-For", "Upgrade", "Cookie"])
values = st.sampled_from(["", "1", "x-a, close", "h2c", "keep-alive", "x-forwarded-for", " spaced ", "a:b", "\tq"])


@given(
    fields=st.lists(st.tuples(names, values), max_size=8),
    options=st.fixed_dictionaries(
        {},
        optional={
            "identity": st.lists(st.sampled_from(list(Identity)), unique=True, max_size=3),
            "trusted": st.just([PROXY]),
            "hostname": st.just("b.example"),
            "path": st.sampled_from([FullPath("/z"), PrefixPath("/a", "/z/")]),
        },
    ),
    close=st.booleans(),
)
def test_an_edited_head_is_a_head_with_the_same_body(
    fields: list[tuple[str, str]], options: dict[str, Any], close: bool
) -> None:
    raw = request(*(f"{name}: {value}" for name, value in fields), "Content-Length: 5", start="POST /a/b?c HTTP/1.1")
    try:
        before = read(raw)
    except Refused:
        assume(False)
    result = edited(raw, before, HeadEdits(**options), CLIENT, close=close)
    after = read(result)
    assert (after.length, after.content_length, after.method) == (len(result), 5, "POST")
    assert len(after.values("x-forwarded-for")) <= max(1, len(before.values("x-forwarded-for")))
    for kind in options.get("identity", ()):
        assert len(after.values(kind.value)) == 1
        listed = {option.strip().lower() for value in after.values("connection") for option in value.split(",")}
        assert kind.value.lower() not in listed
