"""A client's connection that carries one request after the other, and servers that say who they are."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.configuration import pool
from tests.e2e.sockets import TIMEOUT, connect, read_exactly, read_head
from tests.e2e.transfers import server_of


def by_path(laboratory: Laboratory, *, port: int = 80, **keys: object) -> dict[str, Any]:
    """Listeners and pools: /one/ leads to the first server, /two/ to the second, all else to the third."""
    servers = [server.address for server in laboratory.servers]
    listener = {
        "address": f"{VIP}:{port}",
        "routes": [{"path": {"prefix": f"/{name}/"}, "pool": name} for name in ("one", "two")],
        "default": "other",
    }
    pools = {"one": pool(servers[0]), "two": pool(servers[1]), "other": pool(servers[2])}
    return {"listeners": {"web": listener | keys}, "pools": pools}


def by_path_to_two(laboratory: Laboratory) -> dict[str, Any]:
    """The same, but /one/ leads to the first two servers in turn."""
    config = by_path(laboratory)
    config["pools"]["one"] = pool(*(server.address for server in laboratory.servers[:2]))
    return config


@contextlib.contextmanager
def kept_alive(laboratory: Laboratory, port: int = 80) -> Iterator[http.client.HTTPConnection]:
    """A connection to the VIP that is not opened again behind the test's back."""
    client = http.client.HTTPConnection(VIP, port, timeout=TIMEOUT)
    client.auto_open = 0
    client.sock = connect(laboratory.client, VIP, port)
    with contextlib.closing(client):
        yield client


def servers_of(client: http.client.HTTPConnection, paths: Sequence[str]) -> list[str]:
    """Which server answered each of these requests, sent one after the other."""
    names = []
    for path in paths:
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        names.append(answer.headers["X-Server"])
    return names


def responses(client: socket.socket, count: int) -> list[tuple[str, bytes]]:
    """The next responses, each with a Content-Length: who answered, and the body."""
    found = []
    for _ in range(count):
        head = read_head(client)
        length = re.search(rb"^Content-Length: (\d+)", head, re.M)
        assert length, head
        found.append((server_of(head), read_exactly(client, int(length[1]))))
    return found
