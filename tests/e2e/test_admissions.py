"""Connections that the fast path opens by itself, between real clients and servers."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.server import PORT
from tests.e2e.clients import ab, curl
from tests.e2e.keep_alive import by_path_to_two, kept_alive, servers_of
from tests.e2e.sockets import connect

COUNT = 60
_PATIENCE = 30.0


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """By path, in turn to the first two servers, or to the third one."""
    started = laboratory.run(laboratory.config(**by_path_to_two(laboratory)))
    yield started
    assert started.stop() == 0, started.log_tail()


def opened(run: Run) -> float:
    """Connections so far that the slow path has not seen begin."""
    return run.metrics().total("l7lb_fastpath_connections_total")


def test_all_are_served_and_counted_and_most_are_opened_by_the_fast_path(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    assert ab(laboratory, "/one/1k", requests=2000, concurrency=16) == 0
    after = run.metrics()
    for name in ("l7lb_listener_connections_total", "l7lb_requests_total"):
        assert after.total(name) - before.total(name) == 2000
    assert after.total("l7lb_fastpath_connections_total") - before.total("l7lb_fastpath_connections_total") > 1000


def test_servers_have_their_turns(laboratory: Laboratory, run: Run) -> None:
    before = opened(run)
    names = Counter(curl(laboratory, "/one/1k").server for _ in range(COUNT))
    assert opened(run) > before
    assert set(names) == {"server1", "server2"}
    assert min(names.values()) > COUNT // 4


def test_one_that_lasts_goes_where_its_next_requests_belong(laboratory: Laboratory, run: Run) -> None:
    before = opened(run)
    paths = ["/1k", "/two/1k", "/1k", "/two/10k", "/1k"]
    for _ in range(5):
        with kept_alive(laboratory) as client:
            assert servers_of(client, paths) == ["server3" if path == "/1k" else "server2" for path in paths]
    assert opened(run) > before


def test_one_that_is_idle_is_listed_after_a_while(laboratory: Laboratory, run: Run) -> None:
    before = opened(run)
    for _ in range(10):
        with kept_alive(laboratory) as client:
            assert servers_of(client, ["/1k"]) == ["server3"]
            if opened(run) > before:
                _wait_until_listed(run, client.sock)
                assert servers_of(client, ["/1k", "/two/1k"]) == ["server3", "server2"]
                return
    pytest.fail("the fast path has opened none of ten")


def _wait_until_listed(run: Run, client: socket.socket) -> None:
    address, port = client.getsockname()
    wait_until(
        lambda: f"{address}:{port} " in run.cli("connections", "--admin", str(run.admin)), _PATIENCE, "it is listed"
    )


def test_a_server_that_has_gone_costs_nobody_an_answer(laboratory: Laboratory, run: Run) -> None:
    """What the program has been told is a second old at most, and the slow path asks another server then."""
    for _ in range(3):
        curl(laboratory, "/one/1k")
    gone = laboratory.servers[0]
    gone.stop()
    try:
        assert {curl(laboratory, "/one/1k").server for _ in range(6)} == {"server2"}
    finally:
        gone.start()
        wait_until(lambda: run.servers_up(4), _PATIENCE, "all servers are up")


def test_what_is_no_request_gets_its_answer(laboratory: Laboratory, run: Run) -> None:
    for _ in range(4):
        with connect(laboratory.client, VIP, PORT) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
