"""What servers are told of their clients, other heads than clients sent, and answers that no server gave."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.clients import ab, wrk
from tests.e2e.echoing import HAPROXY_PROXIED, NGINX, NGINX_PROXIED, NGINX_TLS_PROXIED, EchoServers
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.runs import running
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer
from tests.e2e.sockets import connect, read_all

pytestmark = EVERY_FASTPATH

_FORWARDED, _TRUSTING, _V1, _V2, _HAPROXY, _ROUTES, _EXACT, _TCP, _TLS, _ELSEWHERE = range(8301, 8311)
_SNAT = "10.2.0.16/28"
_EVERY_FIELD = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "x-request-id"]
_SPOOFED = [
    *("-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Real-IP: 6.6.6.6", "-H", "Forwarded: for=6.6.6.6"),
    *("-H", "X-Forwarded-Proto: https", "-H", "X-Request-ID: chosen", "-H", "X_Forwarded_For: 6.6.6.6"),
    *("-H", "Connection: close, X-Forwarded-For, X-Real-IP"),
]


def _pool(laboratory: Laboratory, port: int, **changes: object) -> dict[str, Any]:
    health = {"http": "/healthz", "interval": "500ms", "timeout": "250ms", "rise": 1}
    return {"health": health, "servers": [f"{laboratory.servers[0].address}:{port}"]} | changes


def _config(laboratory: Laboratory) -> dict[str, Any]:
    listeners: dict[int, dict[str, Any]] = {
        80: {"forwarded": _EVERY_FIELD, "default": "web"},
        _FORWARDED: {
            "forwarded": _EVERY_FIELD,
            "request_headers": {"set": {"x-tier": "front"}, "remove": ["x-debug"]},
            "default": "echo",
        },
        _TRUSTING: {"forwarded": {"fields": _EVERY_FIELD, "trusted": ["10.1.0.0/16"]}, "default": "echo"},
        _V1: {"default": "v1"},
        _V2: {"forwarded": _EVERY_FIELD, "default": "v2"},
        _HAPROXY: {"default": "haproxy"},
        _ROUTES: {
            "routes": [
                {"path": "/moved", "redirect": {"scheme": "https", "hostname": "new.example.com", "status_code": 301}},
                {"path": {"prefix": "/old/"}, "redirect": {"path": {"prefix": "/new/"}, "status_code": 308}},
                {"path": "/ping", "respond": {"body": "pong\n", "headers": {"x-answered-by": "l7lb"}}},
                {"path": "/teapot", "respond": {"status": 418, "body": '{"a": 1}', "content_type": "application/json"}},
                {
                    "path": {"prefix": "/app/"},
                    "pool": "echo",
                    "rewrite": {"hostname": "app.internal", "path": {"prefix": "/"}},
                    "request_headers": {"set": {"x-tier": "route"}},
                },
            ],
            "default": "echo",
            "request_headers": {"set": {"x-tier": "listener"}},
        },
        _ELSEWHERE: {"routes": [{"redirect": {"scheme": "https", "port": _TLS, "status_code": 308}}]},
        _TCP: {"protocol": "tcp", "default": "v1"},
        _TLS: {"protocol": "tls", "default": "tls"},
        _EXACT: {"request_headers": {"add": {"x-added": "1"}}, "default": "exact"},
    }
    pools = {
        "web": laboratory.default_config()["pools"]["web"],
        "echo": _pool(laboratory, NGINX),
        "v1": _pool(laboratory, NGINX_PROXIED, proxy_protocol="v1"),
        "v2": _pool(laboratory, NGINX_PROXIED, proxy_protocol="v2"),
        "haproxy": _pool(laboratory, HAPROXY_PROXIED, proxy_protocol="v2"),
        "tls": _pool(laboratory, NGINX_TLS_PROXIED, proxy_protocol="v2", health={"tls": True, "interval": "500ms"}),
        "exact": _pool(laboratory, SCRIPTED_PORT),
    }
    return {
        "listeners": {f"l{port}": {"address": f"{VIP}:{port}"} | keys for port, keys in listeners.items()},
        "pools": pools,
        "timeouts": {"linger": "250ms"},
    }


@pytest.fixture(scope="module")
def echo(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoServers]:
    with EchoServers(laboratory.servers[0].namespace, tmp_path_factory.mktemp("echo")) as servers:
        yield servers


@pytest.fixture(scope="module", params=["transparent", _SNAT], ids=["transparent", "snat"])
def source(request: pytest.FixtureRequest) -> str:
    """The addresses that servers see their clients at."""
    return str(request.param)


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, echo: EchoServers, scripted: ScriptedServer, source: str) -> Iterator[Run]:
    mode = {"snat": [source]} if source == _SNAT else source
    with running(laboratory, **_config(laboratory), source=mode) as started:
        yield started


def ask(laboratory: Laboratory, port: int, path: str = "/", *options: str) -> tuple[dict[str, str], str]:
    """What the server says it was asked, and the client's own address and port."""
    url = f"{'https' if port == _TLS else 'http'}://{VIP}:{port}{path}"
    output = laboratory.client.run(["curl", "-sSk", "-m", "10", "-w", "%{local_ip}:%{local_port}", *options, url])
    *told, local = output.splitlines()
    return dict(line.split("=", 1) for line in told), local


def test_a_client_cannot_say_who_it_is(laboratory: Laboratory, run: Run, source: str) -> None:
    told, local = ask(laboratory, _FORWARDED, "/a?b=c", "-H", "X-Debug: 1", *_SPOOFED)
    address = local.partition(":")[0]
    assert (told["x-forwarded-for"], told["x-real-ip"], told["x-forwarded-proto"]) == (address, address, "http")
    assert told["forwarded"] == f'for={address};host="{VIP}:{_FORWARDED}";proto=http'
    assert re.fullmatch("[0-9a-f]{32}", told["x-request-id"])
    assert (told["x-tier"], told["x-debug"], told["uri"]) == ("front", "", "/a?b=c")
    if source == _SNAT:
        assert ipaddress.ip_address(told["client"].partition(":")[0]) in ipaddress.ip_network(_SNAT)
    else:
        assert told["client"] == local


def test_every_request_has_an_id_of_its_own(laboratory: Laboratory, run: Run) -> None:
    assert len({ask(laboratory, _FORWARDED)[0]["x-request-id"] for _ in range(5)}) == 5


def test_every_request_of_a_connection_is_edited(laboratory: Laboratory, run: Run) -> None:
    """curl asks twice over one connection."""
    url = f"http://{VIP}:{_FORWARDED}/"
    spoofed = ["-H", "X-Real-IP: 6.6.6.6", "-H", "X-Debug: 1"]
    output = laboratory.client.run(["curl", "-sS", "-m", "10", "-w", "new=%{num_connects}\\n", *spoofed, url, url, url])
    told = [line.split("=", 1) for line in output.splitlines()]
    assert [value for key, value in told if key == "new"] == ["1", "0", "0"]
    assert len({value for key, value in told if key == "x-request-id"}) == 3
    [address] = {value for key, value in told if key == "x-real-ip"}
    assert address != "6.6.6.6"
    assert {value for key, value in told if key in ("x-debug", "x-tier")} == {"", "front"}


@pytest.mark.parametrize(
    "start",
    [
        "GET / HTTP/1.1\r\nConnection: close\r\nConnection: keep-alive\r\n",
        "GET / HTTP/1.0\r\nConnection: x-keep-alive\r\n",
        "GET / HTTP/1.1\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n",
    ],
    ids=["both", "look-alike", "h2c"],
)
def test_no_request_hides_behind_one_that_may_be_the_last(laboratory: Laboratory, run: Run, start: str) -> None:
    """nginx keeps connections alive by the last of several fields, and by the letters alone."""
    hidden = f"GET / HTTP/1.1\r\nHost: {VIP}\r\nX-Real-IP: 6.6.6.6\r\nConnection: close\r\n\r\n"
    with connect(laboratory.client, VIP, _FORWARDED) as client:
        client.sendall(f"{start}Host: {VIP}\r\n\r\n{hidden}".encode())
        answer = read_all(client)
    assert b"x-real-ip=10." in answer and b"6.6.6.6" not in answer


def test_a_trusted_proxy_is_believed(laboratory: Laboratory, run: Run) -> None:
    told, local = ask(laboratory, _TRUSTING, "/", *_SPOOFED)
    address = local.partition(":")[0]
    assert told["x-forwarded-for"] == f"6.6.6.6, {address}"
    assert told["forwarded"].startswith(f"for=6.6.6.6, for={address};")
    assert (told["x-real-ip"], told["x-forwarded-proto"], told["x-request-id"]) == ("6.6.6.6", "https", "chosen")


@pytest.mark.parametrize(
    "port",
    [_V1, _V2, _HAPROXY, _TCP, _TLS],
    ids=["nginx-v1", "nginx-v2", "haproxy-v2", "nginx-tcp-v1", "nginx-tls-v2"],
)
def test_the_proxy_protocol_says_who_the_client_is(laboratory: Laboratory, run: Run, port: int) -> None:
    told, local = ask(laboratory, port)
    assert (told["client"], told["vip"]) == (local, f"{VIP}:{port}")


def test_the_rest_of_a_head_keeps_its_bytes(laboratory: Laboratory, run: Run, scripted: ScriptedServer) -> None:
    """Byte for byte, with a body in the same segment and the client's close behind it."""
    head = f"POST /x?y HTTP/1.1\r\nhost: {VIP}\r\nX-Odd:   spaced  \r\nContent-Length: 4\r\nConnection: close\r\n"
    with connect(laboratory.client, VIP, _EXACT) as client:
        client.sendall(f"{head}\r\nbody".encode())
        server, received = scripted.accept()
        with server:
            assert received == f"{head}x-added: 1\r\n\r\n".encode()
            assert server.recv(100) == b"body"
            server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        assert read_all(client).endswith(b"\r\n\r\nok")


def test_a_large_upload_behind_an_edited_head_is_whole(laboratory: Laboratory, run: Run, tmp_path: Path) -> None:
    body = (laboratory.directory / "content" / "1M").read_bytes() * 3
    (tmp_path / "body").write_bytes(body)
    name = f"edited-{tmp_path.name}"
    laboratory.client.run(["curl", "-sSf", "-m", "30", "-T", f"{tmp_path}/body", f"http://{VIP}/upload/{name}"])
    [stored] = [server.uploads / name for server in laboratory.servers if (server.uploads / name).exists()]
    assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(body).digest()


def test_many_clients_at_once(laboratory: Laboratory, run: Run) -> None:
    assert ab(laboratory, "/10k", requests=300, concurrency=16) == 0
    assert ab(laboratory, "/", requests=200, concurrency=16, address=f"{VIP}:{_V2}") == 0
    assert wrk(laboratory, "/10k", concurrency=8, seconds=1) == []


def test_host_and_path_are_rewritten(laboratory: Laboratory, run: Run) -> None:
    told, _ = ask(laboratory, _ROUTES, "/app/shop?q=1")
    assert (told["uri"], told["host"], told["x-tier"]) == ("/shop?q=1", "app.internal", "route")
    told, _ = ask(laboratory, _ROUTES, "/other")
    assert (told["uri"], told["host"], told["x-tier"]) == ("/other", f"{VIP}:{_ROUTES}", "listener")


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/moved?a=b", 301, "https://new.example.com/moved?a=b"),
        ("/old/x?y", 308, f"http://{VIP}:{_ROUTES}/new/x?y"),
    ],
)
def test_redirects(laboratory: Laboratory, run: Run, path: str, status: int, location: str) -> None:
    written = "%{http_code} %{redirect_url}"
    url = f"http://{VIP}:{_ROUTES}{path}"
    assert laboratory.client.run(["curl", "-sS", "-m", "10", "-w", written, url]) == f"{status} {location}"


def test_a_client_follows_a_redirect_to_a_server(laboratory: Laboratory, run: Run) -> None:
    told, _ = ask(laboratory, _ROUTES, "/old/x", "-L")
    assert told["uri"] == "/new/x"


def test_a_listener_that_only_redirects_needs_no_servers(laboratory: Laboratory, run: Run) -> None:
    url = f"http://{VIP}:{_ELSEWHERE}/a?b"
    output = laboratory.client.run(["curl", "-sSkL", "-m", "10", "-w", "%{url_effective}", url])
    assert f"uri=/a?b\nhost={VIP}:{_TLS}\n" in output
    assert output.endswith(f"https://{VIP}:{_TLS}/a?b")


def test_fixed_responses(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics().total("l7lb_responses_total", listener=f"l{_ROUTES}", code="418")
    url = f"http://{VIP}:{_ROUTES}"
    head, _, body = laboratory.client.run(["curl", "-sSi", "-m", "10", f"{url}/ping"]).partition("\n\n")
    assert body == "pong\n" and "x-answered-by: l7lb" in head
    written = "%{http_code} %{content_type}"
    assert laboratory.client.run(["curl", "-sS", "-m", "10", "-w", written, f"{url}/teapot"]) == (
        '{"a": 1}418 application/json'
    )
    assert laboratory.client.run(["curl", "-sSI", "-m", "10", "-w", "%{size_download}", f"{url}/teapot"])[-1] == "0"
    assert run.metrics().total("l7lb_responses_total", listener=f"l{_ROUTES}", code="418") == before + 2
