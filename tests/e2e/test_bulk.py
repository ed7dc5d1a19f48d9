"""Large transfers: byte for byte, on good and bad wires, and none of the slow path's business."""

from __future__ import annotations

import hashlib
import re

import pytest

from deploy.laboratory import VIP, Laboratory, Namespace, Run
from tests.e2e.clients import ab
from tests.e2e.sockets import connect, read_head
from tests.faults.wire import BadWire

SLOW_PACKETS = 8
"""Packets of one connection that may go through the slow path."""
_PORT = 80


def test_download_arrives_whole_with_modern_options(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode())
        server = _server_of(read_head(client))
        digest = hashlib.sha256(client.recv(1_000_000))
        peer = next(host for host in laboratory.servers if host.name == server)
        _expect_options(laboratory.client, "dst", VIP)
        _expect_options(peer.namespace, "dst", client.getsockname()[0])
        while chunk := client.recv(1 << 20):
            digest.update(chunk)
    assert digest.hexdigest() == laboratory.digests["100M"]


def test_upload_arrives_whole(laboratory: Laboratory, run: Run) -> None:
    _expect_upload(laboratory, "100M")


@pytest.mark.parametrize("corrupt", [0.0, 0.005], ids=["lossy", "corrupting"])
def test_transfers_survive_a_bad_wire(laboratory: Laboratory, run: Run, bad_wire: BadWire, corrupt: float) -> None:
    for port in ("balancer0", "balancer1"):
        bad_wire.set(port, lose=0.005, duplicate=0.005, reorder=0.005)
    # Corrupted at one place only: two flipped bits may cancel out in a checksum.
    for port in ("client", *(server.name for server in laboratory.servers)):
        bad_wire.set(port, lose=0.005, duplicate=0.005, reorder=0.005, corrupt=corrupt)
    _expect_download(laboratory, "100M")
    _expect_upload(laboratory, "100M")
    client = bad_wire.tally("client")
    assert client.lost and client.duplicated and client.reordered, client
    assert bool(client.corrupted) == bool(corrupt), client


@pytest.mark.parametrize("size", ["1k", "1M", "100M"])
def test_slow_path_packets_do_not_depend_on_the_size(laboratory: Laboratory, run: Run, size: str) -> None:
    # A health check may fall into one measurement, but not into every one.
    counts = []
    for _ in range(5):
        before = run.metrics().slow_packets
        _expect_download(laboratory, size)
        counts.append(run.metrics().slow_packets - before)
    assert min(counts) <= SLOW_PACKETS, counts


def test_slow_path_packets_of_many_connections(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    assert ab(laboratory, "/10k", requests=2000, concurrency=16) == 0
    after = run.metrics()
    connections = after.total("l7lb_listener_connections_total") - before.total("l7lb_listener_connections_total")
    assert connections >= 2000  # ab opens some more that it does not need in the end
    assert (after.slow_packets - before.slow_packets) / connections <= SLOW_PACKETS


def _expect_download(laboratory: Laboratory, name: str) -> None:
    file = laboratory.directory / "download"
    laboratory.client.run(["curl", "-sSf", "-m", "60", "-o", str(file), f"http://{VIP}/{name}"], timeout=90)
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]


def _expect_upload(laboratory: Laboratory, name: str) -> None:
    source = laboratory.directory / "content" / name
    url = f"http://{VIP}/upload/{name}"
    argv = ["curl", "-sSf", "-m", "60", "-H", "Expect:", "-D", "-", "-T", str(source), url]
    server = _server_of(laboratory.client.run(argv, timeout=90).encode())
    stored = next(host for host in laboratory.servers if host.name == server).uploads / name
    with stored.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]
    stored.unlink()


def _server_of(head: bytes) -> str:
    found = re.search(rb"^X-Server: (\S+)", head, re.M)
    assert found, head
    return found[1].decode()


def _expect_options(host: Namespace, *which: str) -> None:
    shown = host.run(["ss", "-tinoH", "state", "established", *which])
    words = shown.split()
    assert "ts" in words and "sack" in words and any(word.startswith("wscale:") for word in words), shown
