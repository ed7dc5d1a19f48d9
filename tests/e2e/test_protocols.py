"""TLS by name, TCP by address, and HTTP/2 with prior knowledge, with real clients and servers on every fast path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hyperframe.frame import GoAwayFrame, HeadersFrame, SettingsFrame

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.origins import GREETING, GREETING_PORT, H2C_PORT, TLS_PORT, Origins, greeted, pool
from tests.e2e.secure import alert, fetched, read_frame
from tests.e2e.sockets import connect, read_all, sending
from tests.unit.http.test_h2_reader import ACKNOWLEDGMENT, GET, headers, stream

pytestmark = EVERY_FASTPATH

_TLS, _TCP, _HTTP = 443, 25, 82


@pytest.fixture(scope="module")
def origins(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    with Origins(laboratory, tmp_path_factory.mktemp("origins")) as started:
        yield started


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, origins: Origins) -> Iterator[Run]:
    listeners = {
        "secure": {
            "address": f"{VIP}:{_TLS}",
            "protocol": "tls",
            "routes": [
                {"host": "one.example.com", "pool": "nginx"},
                {"host": "*.two.example.com", "pool": "haproxy"},
            ],
        },
        "mail": {"address": f"{VIP}:{_TCP}", "protocol": "tcp", "default": "greeter"},
        "web": {
            "address": f"{VIP}:{_HTTP}",
            "routes": [{"host": "one.example.com", "path": {"prefix": "/10"}, "pool": "nginx-h2c"}],
            "default": "haproxy-h2c",
        },
    }
    pools = {
        "nginx": pool(origins.nginx, TLS_PORT),
        "haproxy": pool(origins.haproxy, TLS_PORT),
        "greeter": pool(origins.greeter, GREETING_PORT),
        "nginx-h2c": pool(origins.nginx, H2C_PORT),
        "haproxy-h2c": pool(origins.haproxy, H2C_PORT),
    }
    started = laboratory.run(laboratory.config(listeners=listeners, pools=pools))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.mark.parametrize(("name", "server"), [("one.example.com", "nginx"), ("b.two.example.com", "haproxy")])
def test_tls_goes_by_the_server_name(laboratory: Laboratory, run: Run, name: str, server: str) -> None:
    assert fetched(laboratory, f"https://{name}:{_TLS}/1k").server == server
    assert run.metrics().total("l7lb_requests_total", listener="secure", pool=server) >= 1


def test_a_name_that_is_not_served_is_an_alert(laboratory: Laboratory, run: Run) -> None:
    assert alert(laboratory, _TLS, "-servername", "three.example.com") == 112
    assert alert(laboratory, _TLS, "-noservername") == 109


def test_a_server_may_speak_first(laboratory: Laboratory, run: Run) -> None:
    data = (laboratory.directory / "content" / "100k").read_bytes()
    with connect(laboratory.client, VIP, _TCP) as client:
        assert greeted(client) == GREETING
        with sending(client, data):
            assert read_all(client) == data


@pytest.mark.parametrize(("path", "server"), [("/100k", "nginx"), ("/other", "haproxy")])
def test_http2_goes_by_its_first_request(
    laboratory: Laboratory, run: Run, tmp_path: Path, path: str, server: str
) -> None:
    file = tmp_path / "body"
    url = f"http://one.example.com:{_HTTP}{path}"
    answer = fetched(laboratory, url, "--http2-prior-knowledge", body=file)
    assert (answer.version, answer.status, answer.server) == ("2", 200, server)
    if server == "nginx":
        assert hashlib.sha256(file.read_bytes()).hexdigest() == laboratory.digests["100k"]


def test_an_http2_client_may_wait_for_settings(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _HTTP) as client:
        client.sendall(stream())
        assert isinstance(read_frame(client), SettingsFrame)
        client.sendall(ACKNOWLEDGMENT + headers(GET).serialize())
        while not isinstance(answer := read_frame(client), HeadersFrame):
            assert not isinstance(answer, GoAwayFrame)
