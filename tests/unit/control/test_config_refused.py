"""Wrong configurations: each mistake is named where it is, with what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.control.config import ConfigError, Problem, load

_WEB = {"address": "10.1.0.100:80", "default": "web"}
_SERVERS = {"servers": ["10.2.0.2:80"]}
_NAMED = {"address": "10.2.0.2:80", "name": "s1"}


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


def limits(**keys: object) -> dict[str, Any]:
    return listener(limits=keys)


def route(**keys: object) -> dict[str, Any]:
    return listener(routes=[{"pool": "web"} | keys])


def tls(**keys: object) -> dict[str, Any]:
    return listener(protocol="tls", routes=[{"pool": "web"} | keys])


def answered(**keys: object) -> dict[str, Any]:
    return listener(routes=[keys])


def edited(**keys: object) -> dict[str, Any]:
    return listener(request_headers=keys)


def trusting(prefix: str) -> dict[str, Any]:
    return listener(forwarded={"fields": ["x-real-ip"], "trusted": [prefix]})


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
        (fastpath(learning="no"), "fastpath.learning", "valid boolean"),
        ({"source": "transparant"}, "source", "'transparant' is neither transparent nor {snat: [ADDRESS, ...]}"),
        ({"source": {"snat": []}}, "source.snat", "is a list of addresses or ranges"),
        ({"source": {"snat": ["10.2.0.17/28"]}}, "source.snat", "did you mean its network address?"),
        ({"source": {"snat": ["10.2.0.0/28", "10.2.0.5"]}}, "source.snat", "10.2.0.5 overlaps 10.2.0.0/28"),
        ({"source": {"snat": ["10.0.0.0/8"]}}, "source.snat", "16777216 addresses are more than 1024"),
        (listener(allow=[]), "listeners.web.allow", "is a list of addresses or networks"),
        (listener(deny="192.0.2.1"), "listeners.web.deny", "is a list of addresses or networks"),
        (listener(deny=["192.0.2.1/24"]), "listeners.web.deny", "did you mean its network address?"),
        (listener(deny=["example.com"]), "listeners.web.deny", "'example.com' is not an address or network"),
        (listener(deny=["::ffff:192.0.2.1"]), "listeners.web.deny", "named by their IPv4 addresses"),
        (limits(connection_rate="100"), "listeners.web.limits.connection_rate.rate", "'100' is not a rate"),
        (limits(connection_rate="0/s"), "listeners.web.limits.connection_rate.rate", "1 to 1000000 per s, m or h"),
        (limits(request_rate="2000000/s"), "listeners.web.limits.request_rate.rate", "1 to 1000000 per s, m or h"),
        (limits(request_rate={"burst": 2}), "listeners.web.limits.request_rate.rate", "is required"),
        (limits(request_rate={"rate": "1/s", "per": "host"}), "listeners.web.limits.request_rate.per", "is unknown"),
        (limits(request_rate={"rate": "1/s", "burst": 0}), "listeners.web.limits.request_rate.burst", "or equal to 1"),
        (limits(conections_per_client=2), "listeners.web.limits.conections_per_client", "'connections_per_client'?"),
        (limits(client_prefix={"ipv4": 33}), "listeners.web.limits.client_prefix.ipv4", "or equal to 32"),
        (route(request_rate="1/d"), "listeners.web.routes[0].request_rate.rate", "'1/d' is not a rate"),
        (tls(request_rate="1/s"), "listeners.web.routes[0].request_rate", "does not go with protocol: tls"),
        (
            listener(protocol="tls", limits={"request_rate": "1/s"}),
            "listeners.web.limits.request_rate",
            "use connection_rate",
        ),
        (listener(routing="connection", limits={"request_rate": "1/s"}), "listeners.web.routing", "use request"),
        ({"limits": {"header_count": 1}}, "limits.header_count", "greater than or equal to 10"),
        ({"limits": {"target_bytes": 100}}, "limits.target_bytes", "greater than or equal to 256"),
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
        (listener(protocol="tsl"), "listeners.web.protocol", "'tsl' is unknown: did you mean 'tls'?"),
        (listener(protocol="tls", routing="connection"), "listeners.web.routing", "does not go with protocol: tls"),
        (route(alpn="h2"), "listeners.web.routes[0].alpn", "it needs protocol: tls"),
        (tls(alpn=["h2", ""]), "listeners.web.routes[0].alpn", "is not a protocol of ALPN or a list of them"),
        (tls(alpn=[]), "listeners.web.routes[0].alpn", "is not a protocol of ALPN or a list of them"),
        (tls(path="/a"), "listeners.web.routes[0].path", "all but the server name and ALPN is encrypted"),
        (tls(method="GET"), "listeners.web.routes[0].method", "does not go with protocol: tls"),
        (tls(headers={"a": "1"}), "listeners.web.routes[0].headers", "does not go with protocol: tls"),
        (listener(protocol="tcp", routes=[{"pool": "web"}]), "listeners.web.routes", "use default: POOL"),
        (listener(routing="requests"), "listeners.web.routing", "'requests' is unknown: did you mean 'request'?"),
        (listener(address="0.0.0.0:80"), "listeners.web.address", "name a unicast address"),
        (listener(address="[::ffff:192.0.2.1]:80"), "listeners.web.address", "name 192.0.2.1 itself"),
        (listener(address="[fe80::1]:80"), "listeners.web.address", "name a global or unique local one"),
        (listener(address="[ff02::1]:80"), "listeners.web.address", "name a unicast address"),
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
        (route(pool=None), "listeners.web.routes[0]", "leads to one of pool, redirect and respond"),
        (route(respond={"body": "a"}), "listeners.web.routes[0]", "leads to one of pool, redirect and respond"),
        (answered(redirect={"status_code": 301}), "listeners.web.routes[0].redirect", "back to where the request came"),
        (answered(redirect={"port": 1, "status_code": 200}), "listeners.web.routes[0].redirect.status_code", "308"),
        (answered(redirect={"scheme": "ftp"}), "listeners.web.routes[0].redirect.scheme", "known are http, https"),
        (answered(redirect={"path": {"prefix": "/x"}}), "listeners.web.routes[0].redirect.path", "replaces a prefix"),
        (answered(redirect={"path": "/x"}), "listeners.web.routes[0].redirect.path", "neither {full: /path} nor"),
        (answered(respond={"status": 100}), "listeners.web.routes[0].respond.status", "or equal to 200, not 100"),
        (answered(respond={"status": 204, "body": "a"}), "listeners.web.routes[0].respond", "204 has no body"),
        (answered(respond={"body": "a" * 16385}), "listeners.web.routes[0].respond", "more than 16384 bytes"),
        (answered(respond={"headers": {"content-type": "a/b"}}), "listeners.web.routes[0].respond", "by content_type"),
        (answered(respond={}, rewrite={"hostname": "a"}), "listeners.web.routes[0]", "requests that go to a pool"),
        (route(rewrite={}), "listeners.web.routes[0].rewrite", "needs hostname, path or both"),
        (route(rewrite={"hostname": "a b"}), "listeners.web.routes[0].rewrite.hostname", "is not a host name"),
        (route(rewrite={"path": {"full": "x"}}), "listeners.web.routes[0].rewrite.path", "{full: /path}"),
        (route(rewrite={"path": {"full": "/?"}}), "listeners.web.routes[0].rewrite.path", "{full: /path}"),
        (route(rewrite={"path": {"prefix": "/"}}), "listeners.web.routes[0].rewrite.path", "own path has to be"),
        (edited(set={"Host": "a"}), "listeners.web.request_headers.set", "use rewrite: {hostname: NAME}"),
        (edited(add={"Connection": "a"}), "listeners.web.request_headers.add", "stay as they are"),
        (edited(remove=["content-length"]), "listeners.web.request_headers.remove", "stay as they are"),
        (edited(remove="x"), "listeners.web.request_headers.remove", "is a list of header names"),
        (edited(remove=["a b"]), "listeners.web.request_headers.remove", "'a b' is not a header name"),
        (edited(set={"a": 1}), "listeners.web.request_headers.set", "a: 1 is not text (in quotes)"),
        (edited(set={"a": "b\r\nc: d"}), "listeners.web.request_headers.set", "of printable ASCII"),
        (edited(set={"a": "1", "A": "2"}), "listeners.web.request_headers.set", "header names ignore case"),
        (edited(set={"a": "1"}, remove=["A"]), "listeners.web.request_headers", "both gives and removes a"),
        (edited(st={"a": "1"}), "listeners.web.request_headers.st", "did you mean 'set'?"),
        (listener(forwarded=[]), "listeners.web.forwarded.fields", "is empty"),
        (listener(forwarded=["x-forward-for"]), "listeners.web.forwarded.fields[0]", "did you mean 'x-forwarded-for'?"),
        (listener(forwarded=["x-real-ip"] * 2), "listeners.web.forwarded.fields", "names a header twice"),
        (trusting("10.0.0.1/8"), "listeners.web.forwarded.trusted[0]", "did you mean its network address?"),
        (trusting("proxy"), "listeners.web.forwarded.trusted[0]", "is not an address or network as 192.0.2.0/24"),
        (trusting("::ffff:10.0.0.1"), "listeners.web.forwarded.trusted[0]", "by their IPv4 addresses"),
        (listener(forwarded=["x-real-ip"], routing="connection"), "listeners.web.routing", "the first request only"),
        (listener(protocol="tcp", forwarded=["x-real-ip"]), "listeners.web.forwarded", "of which nothing is read"),
        (listener(protocol="tls", request_headers={"remove": ["a"]}), "listeners.web.request_headers", "is encrypted"),
        (pool(proxy_protocol="v3"), "pools.web.proxy_protocol", "'v3' is unknown: known are v1, v2"),
        (pool(balance="round_robbin"), "pools.web.balance", "did you mean 'round_robin'?"),
        (pool(balance="hash"), "pools.web.balance", "'hash' is not one of {hash: path}, {hash: {header"),
        (pool(balance={"hash": "paht"}), "pools.web.balance", "'paht' cannot be hashed: path, {header: NAME} or"),
        (pool(balance={"hash": {"header": "a b"}}), "pools.web.balance", "cannot be hashed"),
        (pool(balance={"hsh": "path"}), "pools.web.balance", "is not one of {hash: path}"),
        (pool(sticky={"cookie": "a b"}), "pools.web.sticky.cookie", "'a b' is not the name of a cookie"),
        (pool(sticky={"cookie": "a", "header": "b"}), "pools.web.sticky.header", "unknown key: known are cookie"),
        (pool(sticky={"cookie": "a"}), "pools.web.sticky", "goes by servers' names, and 10.2.0.2:80 has none"),
        (pool(slow_start=30), "pools.web.slow_start", "30 is not a duration"),
        (pool(queue={"size": -1}), "pools.web.queue.size", "should be greater than or equal to 0, not -1"),
        (pool(servers=[_NAMED | {"name": "a.b"}]), "pools.web.servers[0].name", "'a.b' is not a server's name"),
        (pool(servers=[_NAMED, _NAMED | {"address": "10.2.0.3:80"}]), "pools.web.servers", "are called 's1'"),
        (pool(servers=[_NAMED | {"max_connections": 0}]), "pools.web.servers[0].max_connections", "or equal to 1"),
        (pool(servers=[_NAMED | {"priority": 100}]), "pools.web.servers[0].priority", "less than 100"),
        (pool(servers=[_NAMED | {"priority": 1, "backup": True}]), "pools.web.servers[0]", "is a backup, which comes"),
        (pool(servers=[]), "pools.web.servers", "is empty"),
        (pool(servers=["10.2.0.2"]), "pools.web.servers[0]", "is not ADDRESS:PORT"),
        (pool(servers=["10.2.0.2:80", "10.2.0.2:80"]), "pools.web.servers", "listed twice: give it a weight of 2"),
        (pool(servers=["10.1.0.100:80"]), "pools.web.servers[0]", "is a listener's own address"),
        (pool(servers=[{"address": "10.2.0.2:80", "weight": 0}]), "pools.web.servers", "every weight is 0"),
        (pool(servers=["127.0.0.1:80"]), "pools.web.servers[0]", "cannot be reached through an interface"),
        (pool(health={"http": "healthz"}), "pools.web.health.http", "is not a path"),
        (pool(health={"http": "/", "tcp": True}), "pools.web.health", "is one of {http: PATH}, {tls: true}"),
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
