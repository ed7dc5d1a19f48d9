"""Requests that are not served, and ones that arrive in an unusual way; each leaves everything else undisturbed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.clients import curl
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.sockets import connect, read_all

pytestmark = EVERY_FASTPATH

_PORT, _PORT_WITHOUT_DEFAULT = 80, 81
_HEAD_BYTES = 4096


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    listeners = laboratory.default_config()["listeners"]
    listeners["strict"] = {
        "address": f"{VIP}:{_PORT_WITHOUT_DEFAULT}",
        "protocol": "http",
        "routes": [{"host": "known.example.com", "pool": "web"}],
    }
    config = laboratory.config(
        listeners=listeners, limits={"head_bytes": _HEAD_BYTES}, timeouts={"request_head": "500ms"}
    )
    started = laboratory.run(config)
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * _HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", 408),
    ],
    ids=["no host", "two hosts", "two spaces", "tls", "http2", "oversized", "slow"],
)
def test_refused(laboratory: Laboratory, run: Run, request_bytes: bytes, status: int) -> None:
    before = run.metrics().total("l7lb_responses_total", listener="web", code=str(status))
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(request_bytes)
        answer = read_all(client)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert run.metrics().total("l7lb_responses_total", listener="web", code=str(status)) == before + 1
    assert curl(laboratory, "/1k").status == 200


def test_unknown_host_without_a_default(laboratory: Laboratory, run: Run) -> None:
    address = f"{VIP}:{_PORT_WITHOUT_DEFAULT}"
    assert curl(laboratory, "/1k", "-H", "Host: other.example.com", address=address).status == 404
    assert curl(laboratory, "/1k", "-H", "Host: known.example.com", address=address).status == 200


@pytest.mark.parametrize("pieces", [2, 7, 40])
def test_head_in_pieces(laboratory: Laboratory, run: Run, pieces: int) -> None:
    """More segments than the slow path holds back without acknowledging are delivered by it."""
    request = f"GET /100k HTTP/1.1\r\nHost: {VIP}\r\nX-Filler: {'x' * 200}\r\nConnection: close\r\n\r\n".encode()
    step = -(-len(request) // pieces)
    with connect(laboratory.client, VIP, _PORT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), step):
            client.sendall(request[start : start + step])
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == (laboratory.directory / "content" / "100k").read_bytes()


def test_head_with_pauses(laboratory: Laboratory, run: Run) -> None:
    """A pause makes the slow path acknowledge what it has, and so own it."""
    with connect(laboratory.client, VIP, _PORT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (b"GET /100k HTTP/1.1\r\n", f"Host: {VIP}\r\n".encode(), b"Connection: close\r\n\r\n"):
            client.sendall(piece)
            time.sleep(0.1)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == (laboratory.directory / "content" / "100k").read_bytes()


def test_large_head(laboratory: Laboratory, run: Run) -> None:
    """A head of several full segments."""
    assert curl(laboratory, "/1k", "-H", f"X-Filler: {'x' * (_HEAD_BYTES - 500)}").status == 200
