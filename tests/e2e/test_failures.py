"""Servers that fail between two health checks: clients do not notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import Laboratory, Run, Server
from deploy.laboratory.configuration import pool
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH

pytestmark = EVERY_FASTPATH

_CONNECT_TIMEOUT = 0.5
_CHECKS = {"tcp": True, "interval": "60m", "timeout": "1s", "rise": 1, "fall": 1}
"""Over before the first server fails, and not again meanwhile; nor is a server ejected for what clients meet."""


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    servers = pool(*(server.address for server in laboratory.servers), health=_CHECKS, passive=False)
    pools = dict.fromkeys(("images", "api", "web"), servers)
    timeouts = {"connect": f"{_CONNECT_TIMEOUT * 1000:.0f}ms"}
    started = laboratory.run(laboratory.config(pools=pools, timeouts=timeouts))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.fixture
def stopped(laboratory: Laboratory, run: Run) -> Iterator[Server]:
    """A server whose process has ended: it refuses connections."""
    server = laboratory.servers[0]
    server.stop()
    yield server
    server.start()


@pytest.fixture
def unplugged(laboratory: Laboratory, run: Run) -> Iterator[Server]:
    """A server that never answers."""
    server = laboratory.servers[1]
    server.unplug()
    yield server
    server.plug()


def test_stopped_server_is_passed_over(laboratory: Laboratory, run: Run, stopped: Server) -> None:
    before = _failures(run, "refused")
    answers = [curl(laboratory, "/1k") for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.server for answer in answers} == {"server2", "server3", "server4"}
    assert _failures(run, "refused") >= before + 2
    assert ab(laboratory, "/1k", requests=1000, concurrency=16) == 0


def test_silent_server_costs_the_connect_timeout(laboratory: Laboratory, run: Run, unplugged: Server) -> None:
    before = _failures(run, "timeout")
    answers = [curl(laboratory, "/1k") for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.server for answer in answers} == {"server1", "server3", "server4"}
    assert max(answer.seconds for answer in answers) < 2 * _CONNECT_TIMEOUT, "one waited for it more than once"
    # How often it is its turn depends on where the connections of other tests have left off.
    timeouts = _failures(run, "timeout") - before
    assert 1 <= timeouts <= sum(answer.seconds >= _CONNECT_TIMEOUT for answer in answers)


def test_both_at_once(laboratory: Laboratory, run: Run, stopped: Server, unplugged: Server) -> None:
    answers = [curl(laboratory, "/1k") for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.server for answer in answers} == {"server3", "server4"}


def test_no_server_accepts(laboratory: Laboratory, run: Run) -> None:
    for server in laboratory.servers:
        server.stop()
    try:
        assert curl(laboratory, "/1k").status == 502
    finally:
        for server in laboratory.servers:
            server.start()
    assert curl(laboratory, "/1k").status == 200


def _failures(run: Run, reason: str) -> float:
    return run.metrics().total("l7lb_connect_failures_total", pool="web", reason=reason)
