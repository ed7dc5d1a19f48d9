"""Clients of names rather than addresses, with TLS and HTTP/2, in the client's namespace."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hyperframe.frame import Frame

from deploy.laboratory import VIP, Laboratory
from tests.e2e.sockets import read_exactly


@dataclass(frozen=True, slots=True)
class Fetched:
    """What curl got: HTTP's `version` ("1.1", "2"), the `status`, and the X-Server field of the response."""

    version: str
    status: int
    server: str


def fetched(laboratory: Laboratory, url: str, *options: str, body: Path | None = None) -> Fetched:
    """Fetch `url` from the VIP, whatever its name, into `body`; raises LaboratoryError if curl fails."""
    split = urlsplit(url)
    output = laboratory.client.run(
        [
            *("curl", "-sS", "-k", "-m", "30", "-D", "-", "-o", str(body or "/dev/null")),
            *("--resolve", f"{split.hostname}:{split.port}:{VIP}", "-w", "\nversion %{http_version}\n"),
            *options,
            url,
        ],
        timeout=60,
    )
    statuses, server = re.findall(r"^HTTP/\S+ (\d+)", output, re.M), re.search(r"^X-Server: (\S+)", output, re.M | re.I)
    version = re.search(r"^version (\S+)", output, re.M)
    assert statuses and version, output
    return Fetched(version[1], int(statuses[-1]), server[1] if server else "")


def s_client(laboratory: Laboratory, port: int, *options: str) -> str:
    """What `openssl s_client` says of a handshake with the VIP."""
    # What the server sends by itself, such as the settings of HTTP/2, is no text.
    script = '"$@" 2>&1 | tr -cd "[:print:]\\n"'
    argv = ["sh", "-c", script, "-", "openssl", "s_client", "-connect", f"{VIP}:{port}", *options]
    return laboratory.client.run(argv, stdin="Q\n", check=False)


def alert(laboratory: Laboratory, port: int, *options: str) -> int | None:
    """The number of the alert that ends a handshake with the VIP; None if it succeeds."""
    said = s_client(laboratory, port, *options)
    found = re.search(r"SSL alert number (\d+)", said)
    assert found or "Cipher is" in said, said
    return int(found[1]) if found else None


def read_frame(connection: socket.socket) -> Frame:
    """The next frame of HTTP/2."""
    frame, length = Frame.parse_frame_header(memoryview(read_exactly(connection, 9)))
    frame.parse_body(memoryview(read_exactly(connection, length)))
    return frame
