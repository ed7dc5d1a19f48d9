"""Redirects, rewritten paths and fixed responses."""

from __future__ import annotations

import pytest

from slowpath.http.answers import Answer
from slowpath.http.head import HeadReader, RequestHead
from slowpath.http.replies import Fixed, Redirect
from slowpath.http.rewriting import FullPath, PrefixPath


def head(target: str = "/a/b?c=d", host: str = "www.example.com", method: str = "GET") -> RequestHead:
    read = HeadReader().feed(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("prefix", "value", "path", "expected"),
    [  # Gateway API, HTTPPathModifier.replacePrefixMatch
        ("/foo", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
        ("/foo/", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/foo/", "/xyz/", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz", "/foo", "/xyz"),
        ("/foo", "/xyz", "/foo/", "/xyz/"),
        ("/foo", "/", "/foo/bar", "/bar"),
        ("/foo", "/", "/foo/", "/"),
        ("/foo", "/", "/foo", "/"),
        ("/", "/xyz", "/foo", "/xyz/foo"),
        ("/foo", "/xyz/", "/foobar", "/xyzbar"),
        ("/foo", "/xyz/", "/foo../secret", "/xyz../secret"),
        ("/foo", "/", "/foobar", "/bar"),
    ],
)
def test_a_prefix_is_replaced(prefix: str, value: str, path: str, expected: str) -> None:
    assert PrefixPath(prefix, value).of(path) == expected


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        (Redirect(scheme="https"), "https://www.example.com/a/b?c=d"),
        (Redirect(scheme="https", port=8443), "https://www.example.com:8443/a/b?c=d"),
        (Redirect(scheme="http", port=443), "http://www.example.com:443/a/b?c=d"),
        (Redirect(hostname="b.example"), "http://b.example:8080/a/b?c=d"),
        (Redirect(hostname="b.example", port=80), "http://b.example/a/b?c=d"),
        (Redirect(path=FullPath("/x")), "http://www.example.com:8080/x?c=d"),
        (Redirect(path=PrefixPath("/a", "/z")), "http://www.example.com:8080/z/b?c=d"),
    ],
)
def test_a_redirect_changes_what_it_names(redirect: Redirect, location: str) -> None:
    assert redirect.answer(head(), 8080) == Answer(302, (("Location", location),))


def test_a_redirect_of_a_request_without_host_needs_one() -> None:
    bare = HeadReader().feed(b"GET /a HTTP/1.0\r\n\r\n")
    assert bare is not None
    assert Redirect(scheme="https").answer(bare, 80).status == 400
    assert Redirect(301, hostname="a").answer(bare, 80).fields == (("Location", "http://a/a"),)


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("CONNECT", "www.example.com:443")])
def test_a_request_for_no_path_is_sent_to_the_root(method: str, target: str) -> None:
    [(_, location)] = Redirect(scheme="https").answer(head(target, method=method), 80).fields
    assert location == "https://www.example.com/"


def test_a_fixed_response_is_the_same_for_all() -> None:
    response = Answer(200, (), b"pong")
    assert Fixed(response).answer(head(), 80) is response
