"""A server whose answers the test writes."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import Any, NamedTuple, Self

from deploy.laboratory import VIP, Laboratory, Namespace
from tests.e2e.sockets import TIMEOUT, listening_socket, read_head

SCRIPTED_PORT = 8080


def scripted_listener(laboratory: Laboratory) -> dict[str, Any]:
    """The listeners and pools of a configuration: the VIP's port 8080 leads to the scripted server."""
    server = f"{laboratory.servers[0].address}:{SCRIPTED_PORT}"
    checks = {"http": "/healthz", "interval": "500ms", "timeout": "250ms", "rise": 1}
    return {
        "listeners": {"scripted": {"address": f"{VIP}:{SCRIPTED_PORT}", "protocol": "http", "default": "scripted"}},
        "pools": {"scripted": {"health": checks, "servers": [server]}},
    }


class Accepted(NamedTuple):
    """A connection that a `ScriptedServer` accepted and the request head it read from it."""

    connection: socket.socket
    head: bytes


class ScriptedServer:
    """An HTTP server whose answers the test writes, until exit; it answers health checks (/healthz) itself."""

    def __init__(self, namespace: Namespace, port: int) -> None:
        self._listener = listening_socket(namespace, port)
        self._accepted: queue.Queue[Accepted] = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def accept(self) -> Accepted:
        """The next connection that is not a health check's."""
        return self._accepted.get(timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # Closing alone would leave the accepting thread waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT)
        # A health check may leave at any point.
        with contextlib.suppress(OSError):
            head = read_head(connection)
            if head and b" /healthz " not in head:
                self._accepted.put(Accepted(connection, head))
                return
            if head:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()
