"""Servers that speak TLS, HTTP/2 or first, in the namespaces of a laboratory's servers."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any, Self

from deploy.laboratory import Laboratory, Namespace
from deploy.laboratory.namespace import LaboratoryError, end, wait_until
from tests.certificates import certificate
from tests.e2e.sockets import TIMEOUT, read_exactly, tcp_socket

TLS_PORT, H2C_PORT, GREETING_PORT = 8443, 8082, 8025
GREETING = b"220 ready\r\n"

_START_TIMEOUT = 10.0

_NGINX = Template("""\
daemon off;
user root;
worker_processes 1;
pid $directory/nginx.pid;
error_log $directory/error.log warn;
events { worker_connections 1024; }
http {
    access_log off;
    default_type application/octet-stream;
    client_max_body_size 0;
    client_body_temp_path $directory/body;
    proxy_temp_path $directory/proxy;
    fastcgi_temp_path $directory/fastcgi;
    uwsgi_temp_path $directory/uwsgi;
    scgi_temp_path $directory/scgi;
    add_header X-Server nginx always;
    ssl_certificate $certificate;
    ssl_certificate_key $certificate;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {
        listen $tls_port ssl http2;
        listen $h2c_port http2;
        location /upload/ {
            root $directory;
            dav_methods PUT;
        }
        location /echo { return 200 "$$host $$uri $$ssl_protocol\\n"; }
        location / { root $content; }
    }
}
""")

_HAPROXY = Template("""\
global
    maxconn 1024
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend tls
    bind :$tls_port ssl crt $certificate alpn h2,http/1.1
    bind :$h2c_port proto h2
    http-request return status 200 content-type text/plain hdr X-Server haproxy lf-string "%[hdr(host)] %[path]\\n"
""")


class Origins:
    """nginx on the first server, HAProxy on the second, a server that speaks first on the third; until exit."""

    def __init__(self, laboratory: Laboratory, directory: Path) -> None:
        self._first, self._second, self._third = laboratory.servers[:3]
        self._directory = directory
        self.uploads = directory / "upload"
        self.uploads.mkdir()
        made = certificate(directory, "*.example.com")
        combined = directory / "combined.pem"
        combined.write_text(made.path.read_text() + made.key.read_text())
        self._values = {
            "directory": directory,
            "certificate": combined,
            "content": laboratory.directory / "content",
            "tls_port": TLS_PORT,
            "h2c_port": H2C_PORT,
        }
        self._stack = contextlib.ExitStack()

    @property
    def nginx(self) -> str:
        """The address of nginx."""
        return self._first.address

    @property
    def haproxy(self) -> str:
        """The address of HAProxy."""
        return self._second.address

    @property
    def greeter(self) -> str:
        """The address of the server that speaks first."""
        return self._third.address

    def __enter__(self) -> Self:
        with self._stack:
            nginx, haproxy = self._write("nginx.conf", _NGINX), self._write("haproxy.cfg", _HAPROXY)
            error_log = str(self._directory / "error.log")
            self._stack.enter_context(
                self._daemon(self._first.namespace, ["nginx", "-e", error_log, "-c", nginx], self.nginx)
            )
            self._stack.enter_context(self._daemon(self._second.namespace, ["haproxy", "-f", haproxy], self.haproxy))
            self._stack.enter_context(Greeter(self._third.namespace))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _write(self, name: str, template: Template) -> str:
        file = self._directory / name
        file.write_text(template.substitute(self._values))
        return str(file)

    @contextlib.contextmanager
    def _daemon(self, namespace: Namespace, argv: list[str], address: str) -> Iterator[None]:
        """A process in `namespace`; the block runs once it accepts connections."""
        log = self._directory / f"{argv[0]}.log"
        process: subprocess.Popen[str] = namespace.popen(argv, log=log)

        def accepts() -> bool:
            if process.poll() is not None:
                raise LaboratoryError(f"{argv[0]} ended: {log.read_text()}")
            with tcp_socket(namespace) as probe:
                return probe.connect_ex((address, TLS_PORT)) == 0

        try:
            wait_until(accepts, _START_TIMEOUT, f"{argv[0]} accepts connections")
            yield
        finally:
            end(process)


class Greeter:
    """A server that speaks first: GREETING, then it repeats what it gets, and closes after its client; until exit."""

    def __init__(self, namespace: Namespace, port: int = GREETING_PORT) -> None:
        self._listener = tcp_socket(namespace)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.settimeout(None)
        self._listener.bind(("0.0.0.0", port))  # noqa: S104 - within the namespace
        self._listener.listen(128)

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse connections from now on; idempotent."""
        with contextlib.suppress(OSError):
            # Closing alone would leave the accepting thread waiting.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT)
        # A health check leaves without a word.
        with connection, contextlib.suppress(OSError):
            connection.sendall(GREETING)
            while chunk := connection.recv(1 << 16):
                connection.sendall(chunk)


def pool(address: str, port: int) -> dict[str, Any]:
    """A pool of one server that is asked for a handshake only."""
    return {
        "health": {"tcp": True, "interval": "500ms", "timeout": "250ms", "rise": 1},
        "servers": [f"{address}:{port}"],
    }


def greeted(connection: socket.socket) -> bytes:
    """What a connection to the Greeter begins with."""
    return read_exactly(connection, len(GREETING))
