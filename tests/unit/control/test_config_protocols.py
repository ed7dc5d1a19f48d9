"""What a listener's protocol makes of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.control.config import ListenerConfig, load

_REDIRECT = {"path": "/old", "redirect": {"path": {"full": "/new"}}}


def listener(tmp_path: Path, **keys: object) -> ListenerConfig:
    document = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {"web": {"address": "10.1.0.100:80"} | keys},
        "pools": {"web": {"servers": ["10.2.0.2:80"]}, "api": {"servers": ["10.2.0.3:80"]}},
    }
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    return load(file).listeners["web"]


@pytest.mark.parametrize("given", ["h2", ["h2"], ["h2", "http/1.1"]])
def test_a_route_of_tls_has_protocols(tmp_path: Path, given: str | list[str]) -> None:
    [route] = listener(tmp_path, protocol="tls", routes=[{"alpn": given, "pool": "web"}]).routes
    assert route.alpn == frozenset([given] if isinstance(given, str) else given)


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        ({"default": "web"}, True),
        ({"default": "web", "routes": [{"path": "/api", "pool": "api"}]}, True),
        ({"routes": [{"path": "/api", "pool": "api"}]}, False),
        ({"routes": [{"path": "/api", "pool": "api"}], "routing": "connection"}, True),
        ({"default": "web", "routing": "request"}, False),
        ({"default": "web", "routes": [_REDIRECT]}, False),
        ({"default": "web", "forwarded": ["x-forwarded-for"]}, False),
        ({"default": "web", "limits": {"request_rate": "10/s"}}, False),
    ],
    ids=["one pool", "two pools", "404", "the first only", "every one", "redirects", "edits", "limits"],
)
def test_http2_is_taken_where_its_first_request_is_enough(tmp_path: Path, keys: dict[str, Any], taken: bool) -> None:
    assert listener(tmp_path, **keys).takes_http2 is taken


@pytest.mark.parametrize("protocol", ["tls", "tcp"])
def test_no_request_but_the_first_is_read_of_what_is_no_http(tmp_path: Path, protocol: str) -> None:
    assert not listener(tmp_path, protocol=protocol, default={"web": 1, "api": 1}).reads_every_request
