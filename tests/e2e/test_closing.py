"""How connections end, between real TCPs: every way that either side may choose."""

from __future__ import annotations

import errno
import random
import socket
import time
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer, scripted_listener
from tests.e2e.sockets import TIMEOUT, connect, read_all, read_exactly, reset, sending

pytestmark = EVERY_FASTPATH

REQUEST = f"GET / HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()
RESPONSE = b"HTTP/1.1 204 No Content\r\n\r\n"
BODY = random.Random(1).randbytes(5_000_000)
"""More than fits into the buffers on the way."""


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, scripted: ScriptedServer) -> Iterator[Run]:
    started = laboratory.run(laboratory.config(**scripted_listener(laboratory)))
    yield started
    assert started.stop() == 0, started.log_tail()


class Pair:
    """Both ends of one connection through the balancer, after the request."""

    def __init__(self, laboratory: Laboratory, scripted: ScriptedServer, *, source_port: int = 0) -> None:
        self.client = connect(laboratory.client, VIP, SCRIPTED_PORT, source_port=source_port)
        self.client.sendall(REQUEST)
        self.server, head = scripted.accept()
        assert head == REQUEST

    def close(self) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def pair(laboratory: Laboratory, run: Run, scripted: ScriptedServer) -> Iterator[Pair]:
    made = Pair(laboratory, scripted)
    yield made
    made.close()


def test_response_is_whole_after_the_client_shut_down(pair: Pair) -> None:
    pair.client.shutdown(socket.SHUT_WR)
    assert read_all(pair.server) == b""
    with sending(pair.server, BODY):
        assert read_all(pair.client) == BODY


def test_client_shuts_down_right_behind_its_request(laboratory: Laboratory, run: Run, scripted: ScriptedServer) -> None:
    with connect(laboratory.client, VIP, SCRIPTED_PORT) as client:
        client.sendall(REQUEST)
        client.shutdown(socket.SHUT_WR)
        server, _ = scripted.accept()
        with server:
            assert read_all(server) == b""
            with sending(server, BODY):
                assert read_all(client) == BODY


def test_upload_is_whole_after_the_server_shut_down(pair: Pair) -> None:
    pair.server.shutdown(socket.SHUT_WR)
    assert read_all(pair.client) == b""
    with sending(pair.client, BODY):
        assert read_all(pair.server) == BODY


def test_server_closes_first(pair: Pair) -> None:
    with sending(pair.server, BODY):
        assert read_all(pair.client) == BODY
    pair.client.shutdown(socket.SHUT_WR)
    assert read_all(pair.server) == b""


def test_client_resets(pair: Pair) -> None:
    reset(pair.client)
    with pytest.raises(ConnectionResetError):
        pair.server.recv(1)


def test_server_resets(pair: Pair) -> None:
    reset(pair.server)
    with pytest.raises(ConnectionResetError):
        pair.client.recv(1)


def test_client_resets_before_its_request_is_whole(laboratory: Laboratory, run: Run, scripted: ScriptedServer) -> None:
    client = connect(laboratory.client, VIP, SCRIPTED_PORT)
    client.sendall(REQUEST[:-2])
    reset(client)
    wait_until(lambda: run.status()["connections"] == 0, TIMEOUT, "the half-sent request is forgotten")


@pytest.fixture
def no_waiting(laboratory: Laboratory) -> Iterator[None]:
    """The client may use a port again at once, or after a second where it has timestamps to tell packets apart."""
    laboratory.client.sysctl("net.ipv4.tcp_tw_reuse=1")
    [setting] = laboratory.client.run(["sysctl", "-n", "net.ipv4.tcp_max_tw_buckets"]).split()
    if laboratory.default_config()["fastpath"]["kind"] != "ebpf":
        # A switch does not translate timestamps, and without them Linux keeps a port in TIME-WAIT for a minute.
        laboratory.client.sysctl("net.ipv4.tcp_max_tw_buckets=0")
    yield
    laboratory.client.sysctl(f"net.ipv4.tcp_max_tw_buckets={setting}")


@pytest.mark.parametrize("first", ["client", "server", "client resets", "server resets"])
def test_client_reuses_its_port(
    laboratory: Laboratory, run: Run, scripted: ScriptedServer, no_waiting: None, first: str
) -> None:
    pair = Pair(laboratory, scripted)
    port = pair.client.getsockname()[1]
    for _ in range(3):
        _end(pair, first)
        pair = _again(laboratory, scripted, port)
        pair.server.sendall(RESPONSE)
        assert read_exactly(pair.client, len(RESPONSE)) == RESPONSE
    pair.close()


def _end(pair: Pair, first: str) -> None:
    ends = {"client": (pair.client, pair.server), "server": (pair.server, pair.client)}
    who, _, how = first.partition(" ")
    active, passive = ends[who]
    if how == "resets":
        reset(active)
        with pytest.raises(ConnectionResetError):
            passive.recv(1)
    else:
        active.shutdown(socket.SHUT_WR)
        assert read_all(passive) == b""
        passive.close()
        assert read_all(active) == b""
    pair.close()


def _again(laboratory: Laboratory, scripted: ScriptedServer, port: int) -> Pair:
    """A pair from a port that was just in use: its own TIME-WAIT keeps a client from that for a second."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return Pair(laboratory, scripted, source_port=port)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > deadline:
                raise
