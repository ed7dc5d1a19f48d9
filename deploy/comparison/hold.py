"""Holds idle connections: `python -m deploy.comparison.hold ADDRESS PORT COUNT PATH`.

Each connection has made one request. Says "ready" when all have, and resets them once its stdin ends.
"""

from __future__ import annotations

import re
import resource
import socket
import struct
import sys

_TIMEOUT = 10.0
_MORE_FILES = 64
_TOGETHER = 64
_RESET = struct.pack("ii", 1, 0)
"""struct linger: close() sends a RST, so that no port waits in TIME-WAIT for a minute."""
_ANSWER = re.compile(rb"HTTP/1\.1 200 .*?\r\ncontent-length: *(\d+)(?=\r\n).*?\r\n\r\n", re.I | re.S)


def main(address: str, port: str, count: str, path: str) -> int:
    """Open, ask, hold, reset."""
    files = int(count) + _MORE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode()
    held: list[socket.socket] = []
    while len(held) < int(count):
        held += _open((address, int(port)), min(_TOGETHER, int(count) - len(held)), request)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.read()
    for connection in held:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.close()
    return 0


def _open(address: tuple[str, int], count: int, request: bytes) -> list[socket.socket]:
    """Some connections that wait for their answers at the same time."""
    connections = [socket.create_connection(address, _TIMEOUT) for _ in range(count)]
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        _receive(connection)
    return connections


def _receive(connection: socket.socket) -> None:
    answer = b""
    while not _is_whole(answer):
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"a connection ended after {answer[:60]!r}")
        answer += more


def _is_whole(answer: bytes) -> bool:
    """Whether it is a response with status 200 and its whole body; raises ValueError if it is another one."""
    if b"\r\n\r\n" not in answer:
        return False
    head = _ANSWER.match(answer)
    if not head:
        raise ValueError(f"not what was asked for: {answer[:60]!r}")
    return len(answer) == head.end() + int(head[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
