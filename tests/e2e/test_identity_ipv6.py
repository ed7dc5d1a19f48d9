"""What servers are told of clients that come by IPv6."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP6, Laboratory, Run
from tests.e2e.echoing import HAPROXY_PROXIED, NGINX, NGINX_PROXIED, EchoServers
from tests.e2e.runs import running

_FORWARDED, _V1, _V2, _HAPROXY = range(8301, 8305)


@pytest.fixture(scope="module")
def echo(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoServers]:
    with EchoServers(laboratory.servers[0].namespace, tmp_path_factory.mktemp("echo")) as servers:
        yield servers


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, echo: EchoServers) -> Iterator[Run]:
    server = laboratory.servers[0].address6
    health = {"http": "/healthz", "interval": "500ms", "rise": 1}
    listeners = {
        "forwarded": {"address": f"[{VIP6}]:{_FORWARDED}", "forwarded": ["x-real-ip", "forwarded"], "default": "plain"},
        "v1": {"address": f"[{VIP6}]:{_V1}", "default": "v1"},
        "v2": {"address": f"[{VIP6}]:{_V2}", "default": "v2"},
        "haproxy": {"address": f"[{VIP6}]:{_HAPROXY}", "default": "haproxy"},
    }
    pools = {
        "plain": {"health": health, "servers": [f"[{server}]:{NGINX}"]},
        "v1": {"health": health, "proxy_protocol": "v1", "servers": [f"[{server}]:{NGINX_PROXIED}"]},
        "v2": {"health": health, "proxy_protocol": "v2", "servers": [f"[{server}]:{NGINX_PROXIED}"]},
        "haproxy": {"health": health, "proxy_protocol": "v2", "servers": [f"[{server}]:{HAPROXY_PROXIED}"]},
    }
    with running(laboratory, listeners=listeners, pools=pools) as started:
        yield started


def ask(laboratory: Laboratory, port: int) -> tuple[dict[str, str], str, str]:
    """What the server says it was told, and the client's own address and port."""
    written = "%{local_ip} %{local_port}"
    output = laboratory.client.run(["curl", "-sS", "-m", "10", "-w", written, f"http://[{VIP6}]:{port}/"])
    *told, local = output.splitlines()
    address, port_text = local.split()
    return dict(line.split("=", 1) for line in told), address, port_text


def test_header_fields(laboratory: Laboratory, run: Run) -> None:
    told, address, _ = ask(laboratory, _FORWARDED)
    assert told["x-real-ip"] == address == laboratory.client.address6
    assert told["forwarded"] == f'for="[{address}]";host="[{VIP6}]:{_FORWARDED}";proto=http'


@pytest.mark.parametrize("listener", [_V1, _V2, _HAPROXY], ids=["nginx-v1", "nginx-v2", "haproxy-v2"])
def test_the_proxy_protocol(laboratory: Laboratory, run: Run, listener: int) -> None:
    told, address, port = ask(laboratory, listener)
    assert (told["client"], told["vip"]) == (f"{address}:{port}", f"{VIP6}:{listener}")
