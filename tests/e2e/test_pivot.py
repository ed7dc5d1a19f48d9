"""Requests of one connection go where the rules say, each by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.clients import ab, curl, wrk
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.keep_alive import by_path, kept_alive, responses, servers_of
from tests.e2e.sockets import connect

pytestmark = EVERY_FASTPATH

PATHS = ["/one/1k", "/one/1k", "/two/10k", "/1k", "/one/10k", "/two/1k", "/two/1k"]
NAMES = ["server1", "server1", "server2", "server3", "server1", "server2", "server2"]


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """Three pools by path."""
    started = laboratory.run(laboratory.config(**by_path(laboratory)))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_each_request_finds_its_server(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    with kept_alive(laboratory) as client:
        assert servers_of(client, PATHS) == NAMES
    after = run.metrics()
    counts = [
        after.total("l7lb_requests_total", pool=name) - before.total("l7lb_requests_total", pool=name)
        for name in ("one", "two", "other")
    ]
    assert counts == [3, 3, 1]


def test_pipelined_requests_are_answered_in_their_order(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, 80) as client:
        client.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in PATHS))
        assert [server for server, _ in responses(client, len(PATHS))] == NAMES


def test_every_method_and_body_arrives(laboratory: Laboratory, run: Run) -> None:
    body = (laboratory.directory / "content" / "100k").read_bytes()
    with kept_alive(laboratory) as client:
        for path, server in (("/upload/pivot", laboratory.servers[2]), ("/one/1k", laboratory.servers[0])):
            for method in ("HEAD", "GET"):
                client.request(method, path if method == "GET" else "/two/1k")
                client.getresponse().read()
            if path.startswith("/upload"):
                # Where a pivot is one bit, a body of that size makes the server close behind its response.
                client.request("PUT", path, body, {"Expect": "100-continue"})
                answer = client.getresponse()
                assert answer.status in (201, 204)
                answer.read()
                stored = server.uploads / "pivot"
                assert hashlib.sha256(stored.read_bytes()).hexdigest() == laboratory.digests["100k"]
                stored.unlink()
                if answer.headers["Connection"] == "close":
                    return


def test_a_chunked_upload(laboratory: Laboratory, run: Run) -> None:
    source = laboratory.directory / "content" / "100k"
    argv = ["curl", "-sSf", "-m", "20", "-T", "-", "-H", "Expect:", "-o", "/dev/null", f"http://{VIP}/upload/chunked"]
    laboratory.client.run(["sh", "-c", f"cat {source} | {' '.join(argv)}"])
    stored = laboratory.servers[2].uploads / "chunked"
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == laboratory.digests["100k"]
    stored.unlink()


def test_load_that_keeps_its_connections(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics().total("l7lb_requests_total")
    assert wrk(laboratory, "/one/1k", concurrency=8, seconds=1) == []
    assert run.metrics().total("l7lb_requests_total") - before > 50


def test_a_request_that_nobody_serves_is_answered_here(laboratory: Laboratory, run: Run) -> None:
    with kept_alive(laboratory) as client:
        assert servers_of(client, ["/one/1k"]) == ["server1"]
        client.putrequest("GET", "/two/1k", skip_host=True)
        client.endheaders()
        answer = client.getresponse()
        assert (answer.status, answer.headers["X-Server"], answer.headers["Connection"]) == (400, None, "close")


def test_clients_that_do_not_keep_connections(laboratory: Laboratory, run: Run) -> None:
    assert ab(laboratory, "/one/1k", requests=50, concurrency=4) == 0
    assert {curl(laboratory, path, "-0").server for path in ("/two/1k", "/two/10k")} == {"server2"}
