"""Health checks: where they fail nobody is sent, and where they succeed again somebody is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.fastpaths import EVERY_FASTPATH

pytestmark = EVERY_FASTPATH

_TIMEOUT = 10.0
_CHECKS = {"http": "/healthz", "interval": "200ms", "timeout": "100ms", "rise": 2, "fall": 2}


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    listener = {"address": "10.1.0.100:80", "protocol": "http", "default": "web"}
    pools = {"web": pool(*(server.address for server in laboratory.servers), health=_CHECKS)}
    started = laboratory.run(laboratory.config(listeners={"web": listener}, pools=pools))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_failed_server_is_not_tried(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[2]
    server.stop()
    try:
        wait_until(lambda: run.servers_up(3), _TIMEOUT, "the failure is noticed")
        before = run.metrics().total("l7lb_connect_failures_total")
        assert {curl(laboratory, "/1k").server for _ in range(6)} == {"server1", "server2", "server4"}
        assert run.metrics().total("l7lb_connect_failures_total") == before
    finally:
        server.start()
    wait_until(lambda: run.servers_up(4), _TIMEOUT, "the recovery is noticed")
    assert server.name in {curl(laboratory, "/1k").server for _ in range(4)}


def test_silent_server_is_not_tried(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[3]
    server.unplug()
    try:
        wait_until(lambda: run.servers_up(3), _TIMEOUT, "the failure is noticed")
        assert {curl(laboratory, "/1k").server for _ in range(6)} == {"server1", "server2", "server3"}
    finally:
        server.plug()
    wait_until(lambda: run.servers_up(4), _TIMEOUT, "the recovery is noticed")


def test_all_servers_down(laboratory: Laboratory, run: Run) -> None:
    for server in laboratory.servers:
        server.stop()
    try:
        wait_until(lambda: run.servers_up(0), _TIMEOUT, "the failures are noticed")
        assert curl(laboratory, "/1k").status == 503
    finally:
        for server in laboratory.servers:
            server.start()
    wait_until(lambda: run.servers_up(4), _TIMEOUT, "the recovery is noticed")
    assert curl(laboratory, "/1k").status == 200
