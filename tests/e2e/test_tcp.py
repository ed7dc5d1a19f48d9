"""TCP by address and port: whoever speaks first, whoever closes first, and what a client sees of missing servers."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.origins import GREETING, GREETING_PORT, Greeter, greeted, pool
from tests.e2e.sockets import connect, read_all, reset, sending
from tests.e2e.transfers import server_of

_MAIL, _WEB, _NOWHERE = 25, 80, 26
_LEAVING_PORT = 8026
_SNAT = "10.2.0.200"


@pytest.fixture(scope="module", params=["transparent", "snat"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def leaving(laboratory: Laboratory, source: str) -> Iterator[Greeter]:
    """A server that a test may stop."""
    with Greeter(laboratory.servers[3].namespace, _LEAVING_PORT) as greeter:
        yield greeter


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, source: str, leaving: Greeter) -> Iterator[Run]:
    greeter = laboratory.servers[2]
    listeners = {
        "mail": {"address": f"{VIP}:{_MAIL}", "protocol": "tcp", "default": "mail"},
        "web": {"address": f"{VIP}:{_WEB}", "protocol": "tcp", "default": "web"},
        "nowhere": {"address": f"{VIP}:{_NOWHERE}", "protocol": "tcp", "default": "nowhere"},
    }
    pools = {
        "mail": pool(greeter.address, GREETING_PORT),
        "web": laboratory.default_config()["pools"]["web"],
        "nowhere": pool(laboratory.servers[3].address, _LEAVING_PORT),
    }
    changes = {} if source == "transparent" else {"source": {"snat": [_SNAT]}}
    with Greeter(greeter.namespace):
        started = laboratory.run(laboratory.config(listeners=listeners, pools=pools, **changes))
        yield started
        assert started.stop() == 0, started.log_tail()


def test_a_server_speaks_first(laboratory: Laboratory, run: Run) -> None:
    for _ in range(20):
        with connect(laboratory.client, VIP, _MAIL) as client:
            assert greeted(client) == GREETING
            client.sendall(b"HELO\r\n")
            assert client.recv(100) == b"HELO\r\n"


def test_a_client_that_sends_nothing_but_its_end(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _MAIL) as client:
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == GREETING
    wait_until(lambda: run.metrics().total("l7lb_server_connections", pool="mail") == 0, 10, "nothing is left")


def test_data_arrives_whole_both_ways(laboratory: Laboratory, run: Run) -> None:
    data = (laboratory.directory / "content" / "10M").read_bytes()
    with connect(laboratory.client, VIP, _MAIL) as client:
        assert greeted(client) == GREETING
        with sending(client, data):
            assert hashlib.sha256(read_all(client)).hexdigest() == laboratory.digests["10M"]


def test_netcat(laboratory: Laboratory, run: Run) -> None:
    said = laboratory.client.run(["ncat", "-w", "5", VIP, str(_MAIL)], stdin="MAIL\n")
    assert said.splitlines() == ["220 ready", "MAIL"]


def test_http_is_tcp_too(laboratory: Laboratory, run: Run) -> None:
    answers = [curl(laboratory, "/1k") for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.server for answer in answers}) == len(laboratory.servers)


def test_requests_of_one_connection_stay_with_one_server(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _WEB) as client:
        request = f"GET /whoami HTTP/1.1\r\nHost: {VIP}\r\n"
        client.sendall(f"{request}\r\n{request}\r\n{request}Connection: close\r\n\r\n".encode())
        said = read_all(client)
    assert said.count(b"HTTP/1.1 200") == 3
    assert said.count(b"X-Server: " + server_of(said).encode()) == 3


def test_a_reset_passes(laboratory: Laboratory, run: Run) -> None:
    client = connect(laboratory.client, VIP, _MAIL)
    assert greeted(client) == GREETING
    reset(client)
    wait_until(lambda: run.metrics().total("l7lb_server_connections", pool="mail") == 0, 10, "nothing is left")


def test_without_a_server_the_client_is_reset(laboratory: Laboratory, run: Run, leaving: Greeter) -> None:
    with connect(laboratory.client, VIP, _NOWHERE) as client:
        assert greeted(client) == GREETING
    leaving.stop()
    with pytest.raises(ConnectionResetError), connect(laboratory.client, VIP, _NOWHERE) as client:
        client.recv(1)
    assert run.metrics().total("l7lb_responses_total", listener="nowhere") == 1
