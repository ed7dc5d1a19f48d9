"""TLS of probes, against a server of the standard library whose bytes never leave the test."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from slowpath.health.exchange import CheckFailed
from slowpath.health.http_check import HttpCheck, HttpExchange
from slowpath.health.tls_check import TlsCheck, TlsExchange
from tests.certificates import Certificate, certificate

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def www(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificates"), "www.example.com")


class Server:
    """The server's side of TLS; `asked` is the SNI, `request` what came through."""

    def __init__(self, www: Certificate, response: bytes | None = RESPONSE) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(www.path, www.key)
        context.set_alpn_protocols(["h2", "http/1.1"])
        context.sni_callback = lambda tls, name, context: setattr(self, "asked", name)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.asked: str | None = None
        self.request = b""
        self._response = response
        self._shaken = False

    def receive(self, data: bytes) -> bytes:
        self._incoming.write(data)
        try:
            if not self._shaken:
                self.tls.do_handshake()
                self._shaken = True
            self.request += self.tls.read(65536)
            if self._response is None:
                self.tls.unwrap()
            else:
                self.tls.write(self._response)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return self._outgoing.read()


def converse(exchange: TlsExchange, server: Server, pieces: int = 1 << 20) -> None:
    """Carry bytes until nobody says anything any more."""
    data = exchange.start()
    while data and not exchange.done:
        answer = server.receive(data)
        data = b"".join(exchange.receive(answer[i : i + pieces]) for i in range(0, len(answer), pieces))


def check(name: str | None = None, ca: Path | None = None, *, http: bool = False) -> TlsExchange:
    inner = HttpExchange(HttpCheck("/healthz"), "10.2.0.2:443") if http else None
    return TlsExchange(TlsCheck.made(name, ca, http=http), inner)


@pytest.mark.parametrize("pieces", [1, 100, 1 << 20])
def test_a_handshake_is_enough(www: Certificate, pieces: int) -> None:
    exchange, server = check("www.example.com"), Server(www)
    converse(exchange, server, pieces)
    assert exchange.done and server.asked == "www.example.com"


@pytest.mark.parametrize("pieces", [1, 1 << 20])
def test_a_request_inside(www: Certificate, pieces: int) -> None:
    exchange, server = check(http=True), Server(www)
    converse(exchange, server, pieces)
    assert exchange.done and server.request.startswith(b"GET /healthz ")
    assert (server.asked, server.tls.selected_alpn_protocol()) == (None, "http/1.1")


def test_a_certificate_that_is_known(www: Certificate) -> None:
    exchange = check("www.example.com", www.path)
    converse(exchange, Server(www))
    assert exchange.done


@pytest.mark.parametrize("name", ["other.example.com", None])
def test_a_certificate_that_is_not(www: Certificate, name: str | None, tmp_path: Path) -> None:
    ca = www.path if name else certificate(tmp_path, "ca.example.com").path
    with pytest.raises(CheckFailed, match=r"TLS: .*(mismatch|self-signed)") as failure:
        converse(check(name, ca), Server(www))
    assert failure.value.reason == "tls"


def test_a_status_inside(www: Certificate) -> None:
    with pytest.raises(CheckFailed, match="status 500"):
        converse(check(http=True), Server(www, b"HTTP/1.1 500 X\r\n\r\n"))


def test_tls_that_ends_without_a_response(www: Certificate) -> None:
    with pytest.raises(CheckFailed, match="closed without a response"):
        converse(check(http=True), Server(www, None))


def test_what_is_no_tls() -> None:
    exchange = check()
    exchange.start()
    with pytest.raises(CheckFailed, match="TLS: WRONG_VERSION_NUMBER"):
        exchange.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_stream_that_ends_within_the_handshake() -> None:
    exchange = check()
    exchange.start()
    with pytest.raises(CheckFailed, match="within the TLS handshake"):
        exchange.ended()
