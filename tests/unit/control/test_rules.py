"""From a configuration's listeners to the rules of routers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from slowpath.control import rules
from slowpath.control.config import ListenerConfig, load
from slowpath.http.answers import Answer
from slowpath.http.editing import HeadEdits, edited
from slowpath.http.head import HeadReader, RequestHead
from slowpath.routing.router import Route
from slowpath.wire.endpoint import Endpoint

CLIENT = Endpoint.parse("10.0.0.7:4000")


def listener(directory: Path, **keys: object) -> ListenerConfig:
    document: dict[str, Any] = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {"web": {"address": "10.1.0.100:80"} | keys},
        "pools": {"web": {"servers": ["10.2.0.2:80"]}},
    }
    file = directory / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    return load(file).listeners["web"]


def routed(configured: ListenerConfig, path: str) -> tuple[Route, RequestHead, bytes]:
    raw = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    head = HeadReader().feed(raw)
    assert head is not None
    route = rules.router(configured, lambda bits: bits, lambda route: None).choose(head)
    assert route is not None
    return route, head, raw


def sent(configured: ListenerConfig, path: str) -> str:
    """The head that a server gets."""
    route, head, raw = routed(configured, path)
    assert isinstance(route.rule.edits, HeadEdits)
    return edited(raw, head, route.rule.edits, CLIENT).decode()


def test_without_edits_nothing_is_done_to_requests(tmp_path: Path) -> None:
    configured = listener(tmp_path, default="web", routes=[{"path": "/a", "pool": "web"}])
    assert [routed(configured, path)[0].rule.edits for path in ("/a", "/b")] == [None, None]
    assert not configured.edits_requests


def test_a_listeners_edits_hold_for_its_routes_and_its_default(tmp_path: Path) -> None:
    route = {
        "path": {"prefix": "/a/"},
        "pool": "web",
        "request_headers": {"set": {"x-tier": "route"}},
        "rewrite": {"hostname": "b", "path": {"prefix": "/z"}},
    }
    configured = listener(
        tmp_path,
        forwarded={"fields": ["x-real-ip", "x-request-id"], "trusted": ["10.9.0.0/16"]},
        request_headers={"set": {"x-tier": "listener"}, "add": {"x-more": "1"}},
        routes=[route],
        default="web",
    )
    identity = f"X-Real-IP: 10.0.0.7\r\nX-Request-ID: {128:032x}\r\n"
    assert configured.edits_requests
    assert sent(configured, "/a/c") == (f"GET /z/c HTTP/1.1\r\nHost: b\r\n{identity}x-more: 1\r\nx-tier: route\r\n\r\n")
    assert sent(configured, "/b") == (f"GET /b HTTP/1.1\r\nHost: a\r\n{identity}x-tier: listener\r\nx-more: 1\r\n\r\n")


def test_a_route_without_a_pool_has_an_answer(tmp_path: Path) -> None:
    routes = [
        {"path": {"prefix": "/old/"}, "redirect": {"path": {"prefix": "/new"}, "status_code": 308}},
        {"respond": {"status": 503, "body": "closed", "headers": {"retry-after": "60"}}},
    ]
    configured = listener(tmp_path, routes=routes, forwarded=["x-real-ip"])
    route, head, _ = routed(configured, "/old/x?y")
    assert route.rule.reply is not None and route.rule.edits is None
    assert route.rule.reply.answer(head, 80) == Answer(308, (("Location", "http://a/new/x?y"),))
    route, head, _ = routed(configured, "/x")
    assert route.rule.reply is not None
    fields = (("Content-Type", "text/plain; charset=utf-8"), ("retry-after", "60"))
    assert route.rule.reply.answer(head, 80) == Answer(503, fields, b"closed")
