"""What a configuration file means."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
import yaml

from slowpath.balancing.keys import Part, RequestHash
from slowpath.control.config import Config, ConfigError, EbpfConfig, load
from slowpath.routing.matchers import Exact, Prefix, Present, Regex, Wildcard
from slowpath.wire.endpoint import Endpoint

SMALLEST = """\
fastpath: {interfaces: [eth0]}
listeners:
  web: {address: "10.1.0.100:80", default: web}
pools:
  web: {servers: ["10.2.0.2:80"]}
"""


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "l7lb.yaml"
    file.write_text(text)
    return load(file)


def changed(**sections: object) -> str:
    return yaml.safe_dump(yaml.safe_load(SMALLEST) | sections)


def test_what_is_not_said_has_its_documented_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALLEST)
    assert isinstance(config.fastpath, EbpfConfig)
    assert (config.fastpath.kind, config.fastpath.name, config.fastpath.capacity) == ("ebpf", "l7lb", 1_048_576)
    assert config.source is None
    assert config.metrics is None
    assert config.admin == Path("/run/l7lb.sock")
    timeouts = config.timeouts
    assert (timeouts.connect, timeouts.request_head, timeouts.answer) == (1.0, 10.0, 5.0)
    assert (timeouts.idle, timeouts.linger) == (600.0, 2.0)
    assert config.limits.head_bytes == 16384
    listener = config.listeners["web"]
    assert (listener.protocol, listener.routing, listener.routes) == ("http", "auto", ())
    pool = config.pools["web"]
    assert pool.balance == "round_robin"
    assert (pool.sticky, pool.slow_start, pool.queue.size, pool.queue.timeout) == (None, None, 100, 10.0)
    assert pool.servers[0].weight == 1
    health = pool.health
    assert (health.tcp, health.http, health.host) == (True, None, None)
    assert (health.interval, health.timeout, health.rise, health.fall) == (2.0, 1.0, 2, 3)


def test_addresses_are_endpoints(tmp_path: Path) -> None:
    config = loaded(tmp_path, changed(metrics="[::1]:9100"))
    assert config.listeners["web"].address == Endpoint(bytes((10, 1, 0, 100)), 80)
    assert config.pools["web"].servers[0].address == Endpoint(bytes((10, 2, 0, 2)), 80)
    assert config.metrics == Endpoint(ipaddress.ip_address("::1").packed, 9100)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1ms", 0.001), ("500ms", 0.5), ("2s", 2.0), ("1.5s", 1.5), ("10m", 600.0), ("1440m", 86400.0)],
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    assert loaded(tmp_path, changed(timeouts={"idle": text})).timeouts.idle == pytest.approx(seconds)


def test_a_route_becomes_a_rule(tmp_path: Path) -> None:
    listener = {
        "address": "10.1.0.100:80",
        "routes": [
            {
                "host": "*.Example.com",
                "path": {"prefix": "/static/"},
                "method": ["GET", "HEAD"],
                "headers": {"X-Canary": "1", "cookie": {"present": True}, "user-agent": {"regex": "^curl/"}},
                "pool": {"web": 3},
            },
            {"host": "www.example.com", "path": "/", "method": "GET", "pool": "web"},
            {"host": {"regex": "^w{3}[.]"}, "path": {"regex": "^/v[0-9]+/"}, "pool": "web"},
        ],
    }
    first, second, third = loaded(tmp_path, changed(listeners={"l": listener})).listeners["l"].routes
    assert first.host == Wildcard("Example.com")
    assert first.path == Prefix("/static/")
    assert first.method == {"GET", "HEAD"}
    assert first.headers == {"x-canary": Exact("1"), "cookie": Present(), "user-agent": Regex("^curl/")}
    assert first.pool == {"web": 3}
    assert (second.host, second.path, second.method) == (Exact("www.example.com"), Exact("/"), frozenset({"GET"}))
    assert (second.headers, second.pool) == ({}, {"web": 1})
    assert isinstance(third.host, Regex)
    assert third.path == Regex("^/v[0-9]+/")


def test_snat_has_addresses_and_ranges(tmp_path: Path) -> None:
    config = loaded(tmp_path, changed(source={"snat": ["10.2.0.16/28", "10.2.0.40"]}))
    assert config.source is not None
    addresses = [address for network in config.source.snat for address in network]
    assert len(addresses) == 17
    assert addresses[-1] == ipaddress.ip_address("10.2.0.40")


def test_a_path_of_http_replaces_the_handshake(tmp_path: Path) -> None:
    pool = {"servers": ["10.2.0.2:80"], "health": {"http": "/healthz", "host": "health.example"}}
    health = loaded(tmp_path, changed(pools={"web": pool})).pools["web"].health
    assert (health.http, health.tcp, health.host) == ("/healthz", False, "health.example")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("random_two", "random_two"),
        ({"hash": "path"}, RequestHash(Part.PATH)),
        ({"hash": {"header": "X-User"}}, RequestHash(Part.HEADER, "X-User")),
        ({"hash": {"cookie": "user"}}, RequestHash(Part.COOKIE, "user")),
    ],
)
def test_what_is_balanced_by(tmp_path: Path, text: object, key: object) -> None:
    pool = loaded(tmp_path, changed(pools={"web": {"balance": text, "servers": ["10.2.0.2:80"]}})).pools["web"]
    assert pool.balance == key
    assert pool.by_request == isinstance(key, RequestHash)


def test_backups_come_after_every_priority(tmp_path: Path) -> None:
    kinds: list[dict[str, object]] = [{"backup": True}, {"priority": 99}, {"priority": 1}, {}]
    servers = [{"address": f"10.2.0.{host}:80"} | kind for host, kind in enumerate(kinds, start=2)]
    pool = loaded(tmp_path, changed(pools={"web": {"servers": servers}})).pools["web"]
    ranks = [server.rank for server in pool.servers]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 4


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALLEST)
    with pytest.raises(ValueError, match="frozen"):
        config.admin = Path("/elsewhere")


def test_every_mistake_is_named_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(
            tmp_path,
            """\
fastpath:
  interface: [eth0]
listeners:
  web:
    address: 10.1.0.100
    default: wbe
pools:
  web:
    servers:
      - 10.2.0.2:80
      - {address: "10.2.0.3:80", weight: -1}
""",
        )
    file = tmp_path / "l7lb.yaml"
    assert [str(problem).removeprefix(f"{file}:") for problem in raised.value.problems] == [
        "1: fastpath.interfaces: is required",
        "2: fastpath.interface: unknown key: did you mean 'interfaces'?",
        "5: listeners.web.address: '10.1.0.100' is not ADDRESS:PORT with a port of 1..65535",
        "6: listeners.web.default: there is no pool 'wbe': did you mean 'web'?",
        "11: pools.web.servers[1].weight: should be greater than or equal to 0, not -1",
    ]
