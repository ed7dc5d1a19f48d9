"""Wrong configurations: each mistake is named where it is, with what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.control.config import ConfigError, Problem, load

_WEB = {"address": "10.1.0.100:80", "default": "web"}
_SERVERS = {"servers": ["10.2.0.2:80"]}


def problems(tmp_path: Path, **sections: object) -> list[Problem]:
    document = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {"web": _WEB},
        "pools": {"web": _SERVERS},
    } | sections
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as raised:
        load(file)
    return raised.value.problems


def fastpath(**keys: object) -> dict[str, Any]:
    return {"fastpath": {"interfaces": ["eth0"]} | keys}


def listener(**keys: object) -> dict[str, Any]:
    return {"listeners": {"web": _WEB | keys}}


def route(**keys: object) -> dict[str, Any]:
    return listener(routes=[{"pool": "web"} | keys])


def pool(**keys: object) -> dict[str, Any]:
    return {"pools": {"web": _SERVERS | keys}}


@pytest.mark.parametrize(
    ("sections", "path", "message"),
    [
        ({"fastpth": {}}, "fastpth", "unknown key: did you mean 'fastpath'?"),
        (fastpath(kind=["ebpf"]), "fastpath.kind", "['ebpf'] is unknown"),
        (fastpath(grpc="127.0.0.1:50052"), "fastpath.grpc", "belongs to kinds tofino, model and bmv2 only"),
        (fastpath(kind="epbf"), "fastpath.kind", "'epbf' is unknown: did you mean 'ebpf'?"),
        (fastpath(interfaces=[]), "fastpath.interfaces", "is empty: it needs at least one entry"),
        (fastpath(interfaces="eth0"), "fastpath.interfaces", "is a list, not 'eth0'"),
        (fastpath(interfaces=["eth0", "eth0"]), "fastpath.interfaces", "eth0 is listed twice"),
        (fastpath(interfaces=["a/b"]), "fastpath.interfaces[0]", "'a/b' is not an interface name"),
        (fastpath(name="L7"), "fastpath.name", "'L7' is not an instance name"),
        (fastpath(capacity=1), "fastpath.capacity", "greater than or equal to 1024"),
        ({"source": "transparant"}, "source", "'transparant' is neither transparent nor {snat: [ADDRESS, ...]}"),
        ({"source": {"snat": []}}, "source.snat", "is a list of addresses or ranges"),
        ({"source": {"snat": ["10.2.0.17/28"]}}, "source.snat", "did you mean its network address?"),
        ({"source": {"snat": ["10.2.0.0/28", "10.2.0.5"]}}, "source.snat", "10.2.0.5 overlaps 10.2.0.0/28"),
        ({"source": {"snat": ["10.0.0.0/8"]}}, "source.snat", "16777216 addresses are more than 1024"),
        ({"source": {"snat": ["2001:db8::1"]}}, "source.snat", "IPv6 is not in this version"),
        ({"metrics": 9090}, "metrics", "9090 is not ADDRESS:PORT"),
        ({"admin": "l7lb.sock"}, "admin", "is not an absolute path"),
        ({"admin": "/" + "a" * 107}, "admin", "of at most 107 bytes"),
        ({"timeouts": {"idle": 5}}, "timeouts.idle", "5 is not a duration: a number with ms, s or m"),
        ({"timeouts": {"idle": "1h"}}, "timeouts.idle", "'1h' is not a duration"),
        ({"timeouts": {"idle": "0s"}}, "timeouts.idle", "more than 0"),
        ({"limits": {"head_bytes": "16k"}}, "limits.head_bytes", "should be a valid integer, not '16k'"),
        ({"listeners": {}}, "listeners", "is empty"),
        ({"listeners": {"we b": _WEB}}, "listeners.we b", "'we b' is not a name"),
        ({"listeners": {"a": _WEB, "b": dict(_WEB)}}, "listeners.b", "belongs to another listener already"),
        (listener(protocol="tls"), "listeners.web.protocol", "'tls' is not in this version; use http"),
        (listener(routing="request"), "listeners.web.routing", "'request' is not in this version; use connection"),
        (listener(address="0.0.0.0:80"), "listeners.web.address", "name a unicast address"),
        (listener(address="[2001:db8::1]:80"), "listeners.web.address", "IPv6 is not in this version"),
        (listener(default={"web": 0}), "listeners.web.default", "every weight is 0"),
        (listener(default=None), "listeners.web", "leads to no pool: add routes, or default: POOL"),
        (route(pool="wbe"), "listeners.web.routes[0].pool", "there is no pool 'wbe': did you mean 'web'?"),
        (route(pool={"xyz": 1}), "listeners.web.routes[0].pool", "there is no pool 'xyz': known are web"),
        (route(pool={"web": "1"}), "listeners.web.routes[0].pool.web", "should be a valid integer, not '1'"),
        (route(host="a.example:80"), "listeners.web.routes[0].host", "a name without port"),
        (route(host={"regex": "("}), "listeners.web.routes[0].host", "is not a regular expression of RE2: missing )"),
        (route(path={"regex": 5}), "listeners.web.routes[0].path", "5 is not a pattern: put it in quotes"),
        (route(path="static"), "listeners.web.routes[0].path", "'static' is not a path"),
        (route(path={"prefx": "/"}), "listeners.web.routes[0].path", "{prefix: /path}"),
        (route(method=["GET", 3]), "listeners.web.routes[0].method", "is not a method or a list of methods"),
        (route(headers={"a b": "1"}), "listeners.web.routes[0].headers", "'a b' is not a header name"),
        (route(headers={"a": 1}), "listeners.web.routes[0].headers", "a: 1 is not text (in quotes)"),
        (route(headers={"a": {"present": False}}), "listeners.web.routes[0].headers", "{present: true}"),
        (route(headers={"a": "1", "A": "2"}), "listeners.web.routes[0].headers", "header names ignore case"),
        (pool(balance="round_robbin"), "pools.web.balance", "did you mean 'round_robin'?"),
        (pool(servers=[]), "pools.web.servers", "is empty"),
        (pool(servers=["10.2.0.2"]), "pools.web.servers[0]", "is not ADDRESS:PORT"),
        (pool(servers=["10.2.0.2:80", "10.2.0.2:80"]), "pools.web.servers", "listed twice: give it a weight of 2"),
        (pool(servers=["10.1.0.100:80"]), "pools.web.servers[0]", "is a listener's own address"),
        (pool(servers=[{"address": "10.2.0.2:80", "weight": 0}]), "pools.web.servers", "every weight is 0"),
        (pool(servers=["127.0.0.1:80"]), "pools.web.servers[0]", "cannot be reached through an interface"),
        (pool(health={"http": "healthz"}), "pools.web.health.http", "is not a path"),
        (pool(health={"http": "/", "tcp": True}), "pools.web.health", "is one of {http: PATH} and {tcp: true}"),
        (pool(health={"host": "a"}), "pools.web.health", "host is for {http: PATH} only"),
        (pool(health={"rise": 0}), "pools.web.health.rise", "greater than or equal to 1, not 0"),
        ({"pools": {"web": None}}, "pools.web", "is a mapping of keys to values, not nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_mistake_is_named(tmp_path: Path, sections: dict[str, Any], path: str, message: str) -> None:
    [problem] = problems(tmp_path, **sections)
    assert problem.path in (path, f"{path}.address")
    assert message in problem.message


@pytest.mark.parametrize("key", ["fastpath", "listeners", "pools"])
def test_a_section_that_has_to_be_there(tmp_path: Path, key: str) -> None:
    document = {"fastpath": {"interfaces": ["eth0"]}, "listeners": {"web": _WEB}, "pools": {"web": _SERVERS}}
    del document[key]
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert Problem(file, 1, key, "is required") in raised.value.problems


@pytest.mark.parametrize("text", ["", "[]", "web", "5"])
def test_a_file_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="is a mapping of keys to values"):
        load(file)
