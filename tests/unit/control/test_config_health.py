"""What a configuration says of health checks, and what it cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.control import checks
from slowpath.control.config import ConfigError, PoolConfig, load
from slowpath.health.health import PoolHealth
from slowpath.health.http_check import Contains, HttpCheck
from slowpath.health.outliers import OutlierPolicy
from slowpath.health.probe import Policy
from slowpath.health.verdict import Hysteresis
from slowpath.routing.matchers import Regex
from tests.certificates import certificate


def pool(tmp_path: Path, **keys: object) -> PoolConfig:
    document = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
        "pools": {"web": {"servers": ["10.2.0.2:80"]} | keys},
    }
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    return load(file).pools["web"]


def http_check(tmp_path: Path, **keys: object) -> HttpCheck:
    check = checks.policy(pool(tmp_path, health={"http": "/", **keys})).http
    assert check is not None
    return check


def test_the_defaults(tmp_path: Path) -> None:
    config = pool(tmp_path)
    assert checks.policy(config) == Policy(hysteresis=Hysteresis(2, 3, 60.0))
    assert checks.pool_health("web", config, []) == PoolHealth("web", [], OutlierPolicy(), 0)


def test_a_request(tmp_path: Path) -> None:
    check = http_check(tmp_path, method="HEAD", host="a.example", headers={"X-Probe": "1"}, status=204)
    assert check == HttpCheck("/", "HEAD", "a.example", (("X-Probe", "1"),), (range(204, 205),))


def test_probes_speak_the_proxy_protocol_as_the_pool_does(tmp_path: Path) -> None:
    assert checks.policy(pool(tmp_path)).preamble == b""
    assert checks.policy(pool(tmp_path, proxy_protocol="v1")).preamble == b"PROXY UNKNOWN\r\n"
    assert checks.policy(pool(tmp_path, proxy_protocol="v1", health={"port": 8081})).preamble == b""


@pytest.mark.parametrize(
    ("status", "ranges"),
    [
        ("200-299", (range(200, 300),)),
        ([200, "300-399"], (range(200, 201), range(300, 400))),
        ("404-404", (range(404, 405),)),
    ],
)
def test_statuses(tmp_path: Path, status: object, ranges: tuple[range, ...]) -> None:
    assert http_check(tmp_path, status=status).statuses == ranges


def test_bodies(tmp_path: Path) -> None:
    assert http_check(tmp_path, body="ok").body == Contains("ok")
    assert http_check(tmp_path, body={"regex": "^ok$"}).body == Regex("^ok$")


def test_tls_alone_and_around_http(tmp_path: Path) -> None:
    made = certificate(tmp_path, "www.example.com")
    alone = checks.policy(pool(tmp_path, health={"tls": True}))
    assert alone.http is None and alone.tls is not None and alone.tls.server_name is None
    tls = {"server_name": "www.example.com", "ca": made.path.name}
    both = checks.policy(pool(tmp_path, health={"tls": tls, "http": "/", "port": 8443}))
    assert both.http is not None and both.tls is not None and both.port == 8443
    assert both.tls.server_name == "www.example.com" and both.tls.context.check_hostname
    assert checks.policy(pool(tmp_path, health={"tls": False})).tls is None


def test_passive_checks(tmp_path: Path) -> None:
    assert checks.pool_health("web", pool(tmp_path, passive=False), []).outliers is None
    assert checks.pool_health("web", pool(tmp_path, passive=True), []).outliers == OutlierPolicy()
    some = checks.pool_health(
        "web",
        pool(tmp_path, passive={"resets": 3, "ejection": "1s", "max_ejection": "4s", "max_ejected": 25}, panic=30),
        [],
    )
    limits = {"connect": 5, "reset": 3, "slow": 5}
    assert some.outliers == OutlierPolicy(limits, base=1.0, longest=4.0, largest_share=25)
    assert some.panic == 30


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ({"health": {"http": "/", "method": "POST"}}, "health.method", "'POST' is unknown: known are GET, HEAD"),
        ({"health": {"http": "/", "status": 99}}, "health.status", "99 is not a status or a range of them"),
        ({"health": {"http": "/", "status": "300-200"}}, "health.status", "'300-200' is not a status"),
        ({"health": {"http": "/", "status": []}}, "health.status", "is empty: name one status"),
        ({"health": {"http": "/", "body": 5}}, "health.body", "5 is neither text (in quotes) nor {regex: PATTERN}"),
        ({"health": {"http": "/", "body": {"regex": "("}}}, "health.body", "is not a regular expression of RE2"),
        ({"health": {"http": "/", "body": "a", "method": "HEAD"}}, "health", "body is not for method: HEAD"),
        ({"health": {"http": "/", "headers": {"a b": "1"}}}, "health.headers", "'a b' is not a header name"),
        ({"health": {"http": "/", "headers": {"a": "1\r\nb: 2"}}}, "health.headers", "is not a header's value"),
        ({"health": {"http": "/", "headers": {"Host": "a"}}}, "health.headers", "Host: is not for probes to set, use"),
        ({"health": {"status": 200}}, "health", "status is for {http: PATH} only"),
        ({"health": {"tls": True, "tcp": True}}, "health", "is one of {http: PATH}, {tls: true}"),
        ({"health": {"tls": 5}}, "health.tls", "is a mapping of keys to values, not 5"),
        ({"health": {"tls": {"sni": "a"}}}, "health.tls.sni", "unknown key"),
        ({"health": {"tls": {"server_name": ".a"}}}, "health.tls.server_name", "'.a' is not a name of a server"),
        ({"health": {"tls": {"server_name": "a:443"}}}, "health.tls.server_name", "is not a name of a server"),
        ({"health": {"tls": {"server_name": 64 * "a"}}}, "health.tls.server_name", "is not a name of a server"),
        ({"health": {"tls": {"ca": "nowhere.pem"}}}, "health.tls.ca", "nowhere.pem: No such file"),
        ({"health": {"tls": {"ca": "l7lb.yaml"}}}, "health.tls.ca", "has no certificates in PEM format"),
        ({"health": {"port": 0}}, "health.port", "greater than or equal to 1, not 0"),
        ({"passive": {"resets": -1}}, "passive.resets", "greater than or equal to 0, not -1"),
        ({"passive": {"slow_factor": 0.5}}, "passive.slow_factor", "greater than or equal to 1, not 0.5"),
        ({"passive": {"ejection": "600s"}}, "passive", "max_ejection is less than ejection, which is 600s"),
        ({"passive": 5}, "passive", "is a mapping of keys to values, not 5"),
        ({"panic": 101}, "panic", "less than or equal to 100, not 101"),
    ],
)
def test_mistakes(tmp_path: Path, keys: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        pool(tmp_path, **keys)
    [problem] = raised.value.problems
    assert problem.path == f"pools.web.{path}"
    assert message in problem.message
