"""A TCP forwarder that stands for the network between L7LB and a control plane, and can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

from deploy.laboratory import Namespace
from tests.e2e.sockets import tcp_socket

_CHUNK = 1 << 16


class Forwarder:
    """Leads connections to `port` of the loopback of `namespace` on to `target` there, until exit."""

    def __init__(self, namespace: Namespace, port: int, target: int) -> None:
        self._namespace, self._port, self._target = namespace, port, target
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *error: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Take connections."""
        listener = tcp_socket(self._namespace)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.settimeout(None)
        listener.bind(("127.0.0.1", self._port))
        listener.listen()
        self._listener = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        with self._lock:
            if self._listener is not None:
                # Closing alone would leave the accepting thread waiting.
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for connection in self._open:
                _end(connection)
            self._open.clear()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    # It was cut right after this one was accepted.
                    _end(accepted)
                    return
                self._lead_on(accepted)

    def _lead_on(self, accepted: socket.socket) -> None:
        onward = tcp_socket(self._namespace)
        try:
            onward.connect(("127.0.0.1", self._target))
        except OSError:
            # As if it had not been accepted: the target is not there.
            _end(onward)
            _end(accepted)
            return
        onward.settimeout(None)
        self._open += [accepted, onward]
        for source, sink in ((accepted, onward), (onward, accepted)):
            threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
