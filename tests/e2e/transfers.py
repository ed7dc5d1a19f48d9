"""Whole files through the balancer, and whether they are still the same."""

from __future__ import annotations

import hashlib
import re

from deploy.laboratory import VIP, Laboratory


def expect_download(laboratory: Laboratory, name: str) -> None:
    """Download the file `name` through the balancer; it has to arrive byte for byte."""
    file = laboratory.directory / "download"
    laboratory.client.run(["curl", "-sSf", "-m", "60", "-o", str(file), f"http://{VIP}/{name}"], timeout=90)
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]


def expect_upload(laboratory: Laboratory, name: str) -> None:
    """Upload the file `name` through the balancer, body right behind the head; it has to arrive byte for byte."""
    source = laboratory.directory / "content" / name
    url = f"http://{VIP}/upload/{name}"
    argv = ["curl", "-sSf", "-m", "60", "-H", "Expect:", "-D", "-", "-T", str(source), url]
    server = server_of(laboratory.client.run(argv, timeout=90).encode())
    stored = next(host for host in laboratory.servers if host.name == server).uploads / name
    with stored.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]
    stored.unlink()


def server_of(head: bytes) -> str:
    """Which server a response head comes from."""
    found = re.search(rb"^X-Server: (\S+)", head, re.M)
    assert found, head
    return found[1].decode()
