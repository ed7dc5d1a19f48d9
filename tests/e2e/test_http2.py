"""HTTP/2 with prior knowledge: load, whole files, clients that wait for settings, and where it is refused."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hpack import Decoder
from hyperframe.frame import GoAwayFrame, HeadersFrame, SettingsFrame

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import end, wait_until
from slowpath.http.h2_reader import ErrorCode
from tests.e2e.grpc_echo import SERVICE
from tests.e2e.origins import H2C_PORT, Origins, pool
from tests.e2e.secure import fetched, read_frame
from tests.e2e.sockets import connect, tcp_socket
from tests.unit.http.test_h2_reader import ACKNOWLEDGMENT, GET, headers, stream

_PORT, _STRICT_PORT, _EDITING_PORT = 80, 81, 82
_REQUESTS = 2000
_GRPC = (sys.executable, "-m", "tests.e2e.grpc_echo")
_GRPC_PORT = 8091


@pytest.fixture(scope="module")
def origins(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    with Origins(laboratory, tmp_path_factory.mktemp("origins")) as started:
        yield started


@pytest.fixture(scope="module")
def grpc(laboratory: Laboratory) -> Iterator[str]:
    """ADDRESS:PORT of a gRPC server."""
    server = laboratory.servers[3]
    process = server.namespace.popen([*_GRPC, "serve", f"{server.address}:{_GRPC_PORT}"])

    def accepts() -> bool:
        with tcp_socket(server.namespace) as probe:
            return probe.connect_ex((server.address, _GRPC_PORT)) == 0

    try:
        wait_until(accepts, 10.0, "the gRPC server accepts connections")
        yield f"{server.address}:{_GRPC_PORT}"
    finally:
        end(process)


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, origins: Origins, grpc: str) -> Iterator[Run]:
    routes = [
        {"host": "*.example.com", "path": {"prefix": "/echo"}, "pool": "haproxy"},
        {"headers": {"x-canary": "1"}, "pool": "haproxy"},
        {"method": "PUT", "pool": "nginx"},
        {"path": {"prefix": f"/{SERVICE}/"}, "headers": {"content-type": "application/grpc"}, "pool": "grpc"},
    ]
    listeners = {
        "web": {"address": f"{VIP}:{_PORT}", "routes": routes, "default": "nginx"},
        "strict": {"address": f"{VIP}:{_STRICT_PORT}", "routing": "connection", "routes": routes},
        "editing": {
            "address": f"{VIP}:{_EDITING_PORT}",
            "request_headers": {"set": {"x-real-ip": "10.0.0.1"}},
            "default": "nginx",
        },
    }
    pools = {
        "nginx": pool(origins.nginx, H2C_PORT),
        "haproxy": pool(origins.haproxy, H2C_PORT),
        "grpc": pool(laboratory.servers[3].address, _GRPC_PORT),
    }
    started = laboratory.run(laboratory.config(listeners=listeners, pools=pools))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.mark.parametrize(
    ("path", "options", "server"),
    [
        ("/echo/1", (), "haproxy"),
        ("/1k", ("-H", "X-Canary: 1"), "haproxy"),
        ("/1k", ("-H", "X-Canary: 2"), "nginx"),
        ("/1k", ("-I",), "nginx"),
    ],
)
def test_the_first_request_decides(
    laboratory: Laboratory, run: Run, path: str, options: tuple[str, ...], server: str
) -> None:
    answer = fetched(laboratory, f"http://a.example.com:{_PORT}{path}", "--http2-prior-knowledge", *options)
    assert (answer.version, answer.status, answer.server) == ("2", 200, server)


def test_later_requests_go_where_the_first_one_went(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics().total("l7lb_requests_total", listener="web")
    elsewhere = [field for field in GET if field[0] != ":path"] + [(":path", "/echo/1")]
    decoder = Decoder()
    with connect(laboratory.client, VIP, _PORT) as client:
        for number, fields in ((1, GET), (3, elsewhere)):
            client.sendall(stream(headers(fields)) if number == 1 else headers(elsewhere, number).serialize())
            while not isinstance(answer := read_frame(client), HeadersFrame):
                pass
            assert answer.stream_id == number
            assert ("x-server", "nginx") in [(str(name), str(value)) for name, value in decoder.decode(answer.data)]
    assert run.metrics().total("l7lb_requests_total", listener="web") == before + 1


@pytest.mark.parametrize("streams", [1, 10])
def test_load(laboratory: Laboratory, run: Run, streams: int) -> None:
    argv = ["h2load", f"-n{_REQUESTS}", "-c20", f"-m{streams}", f"http://{VIP}:{_PORT}/1k"]
    said = laboratory.client.run(argv, timeout=60)
    assert f"{_REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert "Application protocol: h2c" in said, said


@pytest.mark.parametrize(("size", "count"), [(10, 50), (1_000_000, 5)])
def test_grpc(laboratory: Laboratory, run: Run, size: int, count: int) -> None:
    said = laboratory.client.run([*_GRPC, "call", f"{VIP}:{_PORT}", str(size), str(count)])
    assert said == f"{count} answers\n"


def test_a_download_arrives_whole(laboratory: Laboratory, run: Run, tmp_path: Path) -> None:
    file, url = tmp_path / "10M", f"http://a.example.com:{_PORT}/10M"
    assert fetched(laboratory, url, "--http2-prior-knowledge", body=file).status == 200
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests["10M"]


def test_an_upload_arrives_whole(laboratory: Laboratory, run: Run, origins: Origins) -> None:
    source, url = laboratory.directory / "content" / "10M", f"http://a.example.com:{_PORT}/upload/10M"
    assert fetched(laboratory, url, "--http2-prior-knowledge", "-T", str(source)).status in (201, 204)
    with (origins.uploads / "10M").open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests["10M"]


def test_a_client_that_waits_for_the_servers_settings(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(stream())
        assert isinstance(read_frame(client), SettingsFrame)
        client.sendall(ACKNOWLEDGMENT + headers([*GET, ("x-canary", "1")]).serialize())
        while not isinstance(answer := read_frame(client), HeadersFrame):
            assert not isinstance(answer, GoAwayFrame)


def test_a_request_in_pieces(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in stream(headers([*GET, ("x-canary", "1")])):
            client.sendall(bytes([byte]))
        while not isinstance(read_frame(client), HeadersFrame):
            pass


def test_what_is_not_served_is_a_response(laboratory: Laboratory, run: Run) -> None:
    answer = fetched(laboratory, f"http://other.example.org:{_STRICT_PORT}/1k", "--http2-prior-knowledge")
    assert (answer.version, answer.status, answer.server) == ("2", 404, "")
    assert run.metrics().total("l7lb_responses_total", listener="strict", code="404") >= 1


def test_where_heads_are_edited_http2_is_refused(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _EDITING_PORT) as client:
        client.sendall(stream(headers([*GET, ("x-real-ip", "192.0.2.66")])))
        assert isinstance(read_frame(client), SettingsFrame)
        last = read_frame(client)
        assert isinstance(last, GoAwayFrame) and last.error_code == ErrorCode.HTTP_1_1_REQUIRED
        assert client.recv(1) == b""


def test_malformed_streams_leave_others_alone(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(stream(settings=headers(GET)))
        assert isinstance(read_frame(client), SettingsFrame)
        last = read_frame(client)
        assert isinstance(last, GoAwayFrame) and last.error_code == ErrorCode.PROTOCOL_ERROR
    assert fetched(laboratory, f"http://a.example.com:{_PORT}/1k", "--http2-prior-knowledge").status == 200
