"""What takes an exact pivot, or a fast path that keeps a server's FIN: keep-alive connections on a host."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect as websocket
from websockets.sync.server import ServerConnection, serve

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from tests.e2e.keep_alive import by_path, kept_alive, responses, servers_of
from tests.e2e.sockets import connect, reset, tcp_socket
from tests.e2e.transfers import expect_upload

_TALKING_PORT = 8081
_ONCE = {"tcp": True, "interval": "60m", "timeout": "1s", "rise": 1, "fall": 1}
"""Health checks that send nothing while packets are counted."""
_FEWEST_PACKETS = 10_000_000 // 65_535
"""That 10 MB can go in, with the largest of super-packets."""


@pytest.fixture(scope="module")
def talking(laboratory: Laboratory) -> Iterator[None]:
    """A server of WebSockets beside the second nginx: it says everything twice."""

    def talk(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(2 * str(message))

    listener = tcp_socket(laboratory.servers[1].namespace)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", _TALKING_PORT))  # noqa: S104 - within the namespace
    listener.listen()
    listener.settimeout(None)
    with serve(talk, sock=listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, talking: None) -> Iterator[Run]:
    """Three pools by path, and one that speaks WebSocket."""
    document = by_path(laboratory)
    document["listeners"]["web"]["routes"].append({"path": {"prefix": "/talk"}, "pool": "talk"})
    address = laboratory.servers[1].address
    document["pools"]["talk"] = pool(servers=[f"{address}:{_TALKING_PORT}"], health=_ONCE)
    for name in ("one", "two", "other"):
        document["pools"][name]["health"] = _ONCE
    started = laboratory.run(laboratory.config(**document))
    yield started
    assert started.stop() == 0, started.log_tail()


def _connections(run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run.cli("connections", "--json", "--admin", str(run.admin)))
    return rows


@pytest.mark.parametrize("path", ["/one/1k", "/two/1k"])
def test_a_server_that_closes_between_two_requests(laboratory: Laboratory, run: Run, path: str) -> None:
    with kept_alive(laboratory) as client:
        assert servers_of(client, ["/one/brief/1k"]) == ["server1"]
        deadline = time.monotonic() + 10
        while not any(row["state"] == "parked" for row in _connections(run)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert servers_of(client, [path, "/one/1k"])[-1] == "server1"


def test_a_large_upload_stays_in_the_fast_path(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    expect_upload(laboratory, "10M")
    after = run.metrics()
    assert after.total("l7lb_punts_total", reason="pivot") == before.total("l7lb_punts_total", reason="pivot")
    # What the client sends before it is spliced is at most a first window, in as many packets as an offload leaves.
    assert after.slow_packets - before.slow_packets <= _FEWEST_PACKETS // 4


def test_a_request_that_stays_costs_one_punt(laboratory: Laboratory, run: Run) -> None:
    with kept_alive(laboratory) as client:
        servers_of(client, ["/one/1k"])
        before = run.metrics()
        servers_of(client, [f"/one/1k?{number}" for number in range(20)])
        after = run.metrics()
    assert after.total("l7lb_punts_total", reason="pivot") - before.total("l7lb_punts_total", reason="pivot") == 20
    assert after.slow_packets - before.slow_packets == 40


def test_websockets(laboratory: Laboratory, run: Run) -> None:
    with websocket(f"ws://{VIP}/talk", sock=connect(laboratory.client, VIP, 80)) as client:
        before = run.metrics().total("l7lb_punts_total")
        for size in (1, 1000, 100_000):
            client.send("a" * size)
            assert client.recv() == "a" * 2 * size
        assert run.metrics().total("l7lb_punts_total") - before <= 2


def test_an_upgrade_that_the_server_does_not_know(laboratory: Laboratory, run: Run) -> None:
    with kept_alive(laboratory) as client:
        client.request("GET", "/one/1k", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
        answer = client.getresponse()
        answer.read()
        assert answer.headers["X-Server"] == "server1"
        assert servers_of(client, ["/two/1k", "/one/1k"]) == ["server2", "server1"]


def test_a_client_that_stops_reading(laboratory: Laboratory, run: Run) -> None:
    """Its window closes in the middle of a response, and its next request is here already."""
    with connect(laboratory.client, VIP, 80) as client:
        client.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in ("/one/10M", "/two/1k")))
        time.sleep(0.5)
        (first, body), (second, _) = responses(client, 2)
    assert (first, second) == ("server1", "server2")
    assert body == (laboratory.directory / "content" / "10M").read_bytes()


def test_clients_that_reset_leave_nothing_behind(laboratory: Laboratory, run: Run) -> None:
    for path in ("/one/1k", "/two/1k"):
        client = connect(laboratory.client, VIP, 80)
        client.sendall(b"GET /one/1k HTTP/1.1\r\nHost: a\r\n\r\n")
        responses(client, 1)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        reset(client)
    deadline = time.monotonic() + 10
    while rows := _connections(run):
        assert time.monotonic() < deadline, (rows, run.said())
        time.sleep(0.1)


@pytest.mark.parametrize(
    "argv",
    [
        ["ab", "-q", "-k", "-n", "2000", "-c", "16", f"http://{VIP}/one/1k"],
        ["h2load", "--h1", "-n", "2000", "-c", "16", f"http://{VIP}/one/1k", f"http://{VIP}/two/1k"],
        ["h2load", "--h1", "-n", "400", "-c", "4", "-m", "4", f"http://{VIP}/one/1k", f"http://{VIP}/two/1k"],
    ],
    ids=["ab", "h2load", "h2load pipelining"],
)
def test_load(laboratory: Laboratory, run: Run, argv: list[str]) -> None:
    output = laboratory.client.run(argv, timeout=60)
    if argv[0] == "ab":
        assert "Failed requests:        0" in output, output
    else:
        assert f"{argv[3]} succeeded, 0 failed, 0 errored" in output, output
