"""The other ways to stand in a network: SNAT, and one interface instead of two."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.clients import ab, curl
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer, scripted_listener
from tests.e2e.sockets import connect, read_all, sending

_SNAT = ipaddress.ip_network("10.2.0.16/28")


@pytest.fixture(params=["transparent", "snat"])
def source(request: pytest.FixtureRequest) -> object:
    return "transparent" if request.param == "transparent" else {"snat": [str(_SNAT)]}


@pytest.fixture(scope="module", params=[1, 2], ids=["one arm", "two arms"])
def host(request: pytest.FixtureRequest, laboratory: Laboratory) -> Iterator[Laboratory]:
    if request.param == 2:
        yield laboratory
        return
    with Laboratory(servers=2, arms=1) as built:
        yield built


@pytest.fixture
def run(host: Laboratory, source: object) -> Iterator[Run]:
    started = host.run(host.config(source=source))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_traffic(host: Laboratory, run: Run, tmp_path: Path) -> None:
    answers = {curl(host, "/1k").server for _ in host.servers}
    assert answers == {server.name for server in host.servers}
    assert ab(host, "/10k", requests=2000, concurrency=32) == 0
    file = tmp_path / "10M"
    host.client.run(["curl", "-sSf", "-m", "20", "-o", str(file), f"http://{VIP}/10M"])
    assert file.read_bytes() == (host.directory / "content" / "10M").read_bytes()


def test_what_the_server_sees(host: Laboratory, source: object) -> None:
    with ScriptedServer(host.servers[0].namespace, SCRIPTED_PORT) as scripted:
        started = host.run(host.config(source=source, **scripted_listener(host)))
        client = connect(host.client, VIP, SCRIPTED_PORT)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        server, _ = scripted.accept()
        with client, server:
            address, port = server.getpeername()
            if source == "transparent":
                assert (address, port) == client.getsockname()
            else:
                assert ipaddress.ip_address(address) in _SNAT
            with sending(server, b"x" * 3_000_000):
                assert len(read_all(client)) == 3_000_000
    assert started.stop() == 0, started.log_tail()
