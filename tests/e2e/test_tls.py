"""TLS through the balancer, as OpenSSL, GnuTLS and curl speak it: versions, ALPN, pieces, names and whole files."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.origins import TLS_PORT, Origins, pool
from tests.e2e.secure import alert, fetched, s_client
from tests.e2e.sockets import connect, read_all, read_exactly
from tests.unit.tls.hellos import hello, records, server_name

_PORT, _ANY_PORT, _SECONDS = 443, 444, 0.5
_NGINX, _HAPROXY = "one.example.com", "two.example.com"


@pytest.fixture(scope="module")
def origins(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    with Origins(laboratory, tmp_path_factory.mktemp("origins")) as started:
        yield started


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, origins: Origins) -> Iterator[Run]:
    routes = [
        {"host": {"regex": "^one[.]example[.]com$"}, "pool": "nginx"},
        {"host": "three.example.com", "alpn": ["h2", "imap"], "pool": "nginx"},
        {"host": "three.example.com", "alpn": "http/1.1", "pool": "haproxy"},
        {"host": _HAPROXY, "pool": "haproxy"},
    ]
    listeners = {
        "named": {"address": f"{VIP}:{_PORT}", "protocol": "tls", "routes": routes},
        "any": {"address": f"{VIP}:{_ANY_PORT}", "protocol": "tls", "routes": routes, "default": "haproxy"},
    }
    pools = {
        "nginx": pool(origins.nginx, TLS_PORT),
        "haproxy": pool(origins.haproxy, TLS_PORT),
    }
    limits = {"timeouts": {"request_head": f"{_SECONDS * 1000:.0f}ms"}, "limits": {"head_bytes": 4096}}
    started = laboratory.run(laboratory.config(listeners=listeners, pools=pools, **limits))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_every_version_and_protocol_is_negotiated_with_the_server(
    laboratory: Laboratory, run: Run, version: str, protocol: str
) -> None:
    said = s_client(laboratory, _PORT, version, "-servername", _NGINX, "-alpn", protocol)
    assert f"ALPN protocol: {protocol}" in said
    assert re.search(r"^New, TLSv1\.[23], Cipher is", said, re.M), said


@pytest.mark.parametrize(
    ("options", "server"),
    [(("--http2",), "nginx"), (("--http1.1",), "haproxy"), (("--http1.1", "--no-alpn"), None)],
    ids=["h2", "http/1.1", "none"],
)
def test_alpn_decides(laboratory: Laboratory, run: Run, options: tuple[str, ...], server: str | None) -> None:
    url = f"https://three.example.com:{_PORT}/1k"
    if server is None:
        assert alert(laboratory, _PORT, "-servername", "three.example.com") == 112
    else:
        assert fetched(laboratory, url, *options).server == server


def test_names_ignore_case(laboratory: Laboratory, run: Run) -> None:
    assert alert(laboratory, _PORT, "-servername", _NGINX.upper()) is None


def test_without_a_name_the_default_serves(laboratory: Laboratory, run: Run) -> None:
    assert alert(laboratory, _ANY_PORT, "-noservername") is None
    assert alert(laboratory, _ANY_PORT, "-servername", "unknown.example.com") is None
    assert alert(laboratory, _PORT, "-noservername") == 109


def test_gnutls(laboratory: Laboratory, run: Run) -> None:
    def said(name: str) -> str:
        argv = ["gnutls-cli", "--insecure", "--sni-hostname", name, f"--port={_PORT}", VIP]
        return laboratory.client.run(["sh", "-c", 'exec "$@" 2>&1', "-", *argv], stdin="", check=False)

    assert "Handshake was completed" in said(_HAPROXY)
    assert "alert [112]" in said("unknown.example.com")


@pytest.mark.parametrize("options", [("--http1.1",), ("--http2",), ("--tlsv1.2", "--tls-max", "1.2")])
@pytest.mark.parametrize("name", [_NGINX])
def test_a_download_arrives_whole(
    laboratory: Laboratory, run: Run, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / "10M"
    assert fetched(laboratory, f"https://{name}:{_PORT}/10M", *options, body=file).status == 200
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests["10M"]


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_an_upload_arrives_whole(laboratory: Laboratory, run: Run, origins: Origins, version: str) -> None:
    source = laboratory.directory / "content" / "10M"
    url = f"https://{_NGINX}:{_PORT}/upload/10M"
    assert fetched(laboratory, url, version, "-T", str(source)).status in (201, 204)
    with (origins.uploads / "10M").open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests["10M"]


def test_a_hello_in_segments_of_one_byte(laboratory: Laboratory, run: Run) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(received, sent, server_hostname=_NGINX)
    with connect(laboratory.client, VIP, _PORT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not client.version() or sent.pending:
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            for byte in sent.read():
                connection.sendall(bytes([byte]))
            if not client.version():
                received.write(connection.recv(1 << 16))
        client.write(f"GET /1k HTTP/1.1\r\nHost: {_NGINX}\r\nConnection: close\r\n\r\n".encode())
        connection.sendall(sent.read())
        received.write(read_all(connection))
    answer = b""
    while chunk := _read(client):
        answer += chunk
    assert answer.endswith((laboratory.directory / "content" / "1k").read_bytes())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 10),
        (hello(server_name("a b")), 50),
        (records(b"\x01\x00\x40\x00"), 50),
        (b"\x80\x2e\x01\x00\x02", 70),
        (hello(server_name(_NGINX))[:20], 40),
    ],
    ids=["http", "malformed", "oversized", "SSL 2.0", "slow"],
)
def test_what_is_refused_gets_its_alert(laboratory: Laboratory, run: Run, data: bytes, expected: int) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(data)
        assert read_all(client) == b"\x15\x03\x03\0\x02\x02" + bytes([expected])
    assert fetched(laboratory, f"https://{_NGINX}:{_PORT}/1k").status == 200


def test_a_record_split_in_two_reaches_the_server_as_it_was(laboratory: Laboratory, run: Run) -> None:
    """The server refuses a hello without cipher suites that it knows, so the alert that arrives is its own."""
    before = run.metrics().total("l7lb_requests_total", listener="named", pool="haproxy")
    data = records(hello(server_name(_HAPROXY))[5:], fragment=20)
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(data)
        assert read_exactly(client, 1) == b"\x15"
    assert run.metrics().total("l7lb_requests_total", listener="named", pool="haproxy") == before + 1


def _read(client: ssl.SSLObject) -> bytes:
    try:
        return client.read(1 << 16)
    except (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
        return b""
