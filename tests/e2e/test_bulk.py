"""Large transfers: byte for byte, on good and bad wires, and none of the slow path's business."""

from __future__ import annotations

import hashlib

import pytest

from deploy.laboratory import VIP, Laboratory, Namespace, Run
from tests.e2e.sockets import connect, read_head
from tests.e2e.transfers import expect_download, expect_upload, server_of
from tests.faults.wire import BadWire

_PORT = 80


def test_download_arrives_whole_with_modern_options(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode())
        server = server_of(read_head(client))
        digest = hashlib.sha256(client.recv(1_000_000))
        peer = next(host for host in laboratory.servers if host.name == server)
        _expect_options(laboratory.client, "dst", VIP)
        _expect_options(peer.namespace, "dst", client.getsockname()[0])
        while chunk := client.recv(1 << 20):
            digest.update(chunk)
    assert digest.hexdigest() == laboratory.digests["100M"]


def test_upload_arrives_whole(laboratory: Laboratory, run: Run) -> None:
    expect_upload(laboratory, "100M")


@pytest.mark.parametrize("corrupt", [0.0, 0.005], ids=["lossy", "corrupting"])
def test_transfers_survive_a_bad_wire(laboratory: Laboratory, run: Run, bad_wire: BadWire, corrupt: float) -> None:
    for port in ("balancer0", "balancer1"):
        bad_wire.set(port, lose=0.005, duplicate=0.005, reorder=0.005)
    # Corrupted at one place only: two flipped bits may cancel out in a checksum.
    for port in ("client", *(server.name for server in laboratory.servers)):
        bad_wire.set(port, lose=0.005, duplicate=0.005, reorder=0.005, corrupt=corrupt)
    expect_download(laboratory, "100M")
    expect_upload(laboratory, "100M")
    client = bad_wire.tally("client")
    assert client.lost and client.duplicated and client.reordered, client
    assert bool(client.corrupted) == bool(corrupt), client


def _expect_options(host: Namespace, *which: str) -> None:
    shown = host.run(["ss", "-tinoH", "state", "established", *which])
    words = shown.split()
    assert "ts" in words and "sack" in words and any(word.startswith("wscale:") for word in words), shown
