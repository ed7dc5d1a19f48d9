"""What an account notes of requests of every kind."""

from __future__ import annotations

import pytest

from fastpath.records import Flow, Offer
from slowpath.http.h2_request import Http2Request
from slowpath.http.head import HeadReader
from slowpath.request import Nothing, Request
from slowpath.routing.router import Router
from slowpath.splicing.accounting import Account
from slowpath.splicing.protocols import ApplicationProtocol, Http, Tcp, Tls
from slowpath.splicing.service import Service, Timeouts
from slowpath.tls.client_hello import ClientHello
from slowpath.wire.endpoint import Endpoint

FLOW = Flow(Endpoint.parse("10.0.0.1:1"), Endpoint.parse("10.0.0.2:2"))


def service(protocol: ApplicationProtocol) -> Service:
    return Service("web", FLOW.vip, Router([], {"web": 1}), {}, Timeouts(), protocol, Offer())


def head() -> Request:
    found = HeadReader().feed(b"GET /a HTTP/1.0\r\nHost: B\r\nReferer: c\r\nUser-Agent: d\r\nX-Request-Id: e\r\n\r\n")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("protocol", "request_", "said"),
    [
        (Http(16384), head(), ("http", "GET", "/a", "b", "1.0", "c", "d", "e")),
        (
            Http(16384),
            Http2Request("GET", "/a?b", "/a", "c", 100, {"user-agent": ("d", "e")}),
            ("http", "GET", "/a?b", "c", "2", "", "d, e", ""),
        ),
        (Tls(16384), ClientHello("a.example", ("h2",), 300), ("tls", "", "", "a.example", "", "", "", "")),
        (Tcp(16384), Nothing(), ("tcp", "", "", "", "", "", "", "")),
        (Http(16384), None, ("http", "", "", "", "", "", "", "")),
    ],
)
def test_what_is_asked_for(protocol: ApplicationProtocol, request_: Request | None, said: tuple[str, ...]) -> None:
    entry = Account().ask(FLOW, service(protocol), request_, 17.0)
    assert (entry.started, entry.client, entry.vip, entry.listener) == (17.0, *FLOW, "web")
    found = entry.protocol, entry.method, entry.target, entry.host, entry.version
    assert (*found, entry.referer, entry.user_agent, entry.request_id) == said


@pytest.mark.parametrize(
    ("edited", "identity"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: 7f\r\n\r\nX-Request-ID: body", "7f"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nX-Request-ID: body\r\n", "e"),
    ],
)
def test_the_id_that_the_server_gets(edited: bytes, identity: str) -> None:
    account = Account()
    entry = account.ask(FLOW, service(Http(16384)), head(), 0.0)
    account.identify(edited)
    assert entry.request_id == identity
