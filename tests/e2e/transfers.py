"""Whole files through the balancer, and whether they are still the same."""

from __future__ import annotations

import hashlib
import re

from deploy.laboratory import VIP, Laboratory, Namespace
from tests.e2e.sockets import connect, read_head


def expect_download(laboratory: Laboratory, name: str, address: str = VIP) -> None:
    """Download the file `name` through the balancer at `address`; it has to arrive byte for byte."""
    file = laboratory.directory / "download"
    laboratory.client.run(["curl", "-sSf", "-m", "60", "-o", str(file), f"http://{address}/{name}"], timeout=90)
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]


def expect_upload(laboratory: Laboratory, name: str, address: str = VIP) -> None:
    """The same of an upload, with the body right behind the head."""
    source = laboratory.directory / "content" / name
    url = f"http://{address}/upload/{name}"
    argv = ["curl", "-sSf", "-m", "60", "-H", "Expect:", "-D", "-", "-T", str(source), url]
    server = server_of(laboratory.client.run(argv, timeout=90).encode())
    stored = next(host for host in laboratory.servers if host.name == server).uploads / name
    with stored.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]
    stored.unlink()


def expect_modern_options(laboratory: Laboratory, vip: str) -> None:
    """On both sides of a download through `vip`, TCP has agreed on window scaling, SACK and timestamps."""
    with connect(laboratory.client, vip, 80) as client:
        client.sendall(b"GET /100M HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server = server_of(read_head(client))
        peer = next(host for host in laboratory.servers if host.name == server)
        _expect_options(laboratory.client, "dst", f"[{vip}]" if ":" in vip else vip)
        # In SNAT mode the server knows another address.
        _expect_options(peer.namespace, "sport", "=", ":80")


def _expect_options(host: Namespace, *which: str) -> None:
    shown = host.run(["ss", "-tinoH", "state", "established", *which])
    words = shown.split()
    assert "ts" in words and "sack" in words and any(word.startswith("wscale:") for word in words), shown


def server_of(head: bytes) -> str:
    """Which server a response head comes from."""
    found = re.search(rb"^X-Server: (\S+)", head, re.M)
    assert found, head
    return found[1].decode()
