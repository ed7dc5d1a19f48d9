"""SIGHUP: a new configuration without a stop, or the old one and a reason."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.sockets import connect, read_exactly, read_head

_PORT, _NEW_PORT = 80, 8080
_SIZE = 100_000_000


@pytest.fixture
def run(laboratory: Laboratory) -> Iterator[Run]:
    started = laboratory.run(laboratory.config())
    yield started
    assert started.stop() == 0, started.log_tail()


def reload(run: Run, result: str) -> None:
    """Ask for a reload, and wait until it has ended with `result`."""
    run.process.send_signal(signal.SIGHUP)
    wait_until(lambda: run.metrics().total("l7lb_config_reloads_total", result=result) == 1, 5.0, f"a {result}")


def test_new_rules_hold_for_new_connections_and_open_ones_go_on(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode())
        rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
        only = laboratory.servers[2]
        pools = laboratory.default_config()["pools"] | {"web": pool(only.address)}
        laboratory.config(pools=pools, listeners=_with_another_listener(laboratory))
        reload(run, "success")
        assert {curl(laboratory, "/1k").server for _ in range(4)} == {only.name}
        assert curl(laboratory, "/1k", address=f"{VIP}:{_NEW_PORT}").server == only.name
        read_exactly(client, rest)


def test_a_server_that_comes_with_a_reload_gets_connections_once_it_is_up(laboratory: Laboratory, run: Run) -> None:
    fewer = laboratory.default_config()["pools"] | {"web": pool(laboratory.servers[0].address)}
    laboratory.config(pools=fewer)
    reload(run, "success")
    laboratory.config()
    run.process.send_signal(signal.SIGHUP)
    wait_until(lambda: {curl(laboratory, "/1k").server for _ in range(4)} == _names(laboratory), 5.0, "all answer")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pools": {}}, "pools"),
        ({"metrics": "127.0.0.1:9191"}, "metrics: cannot change while l7lb runs"),
        ({"fastpath": {"interfaces": ["elsewhere"]}}, "fastpath: cannot change while l7lb runs"),
    ],
    ids=["wrong", "another metrics address", "another interface"],
)
def test_what_cannot_be_leaves_the_old_configuration(
    laboratory: Laboratory, run: Run, changes: dict[str, Any], reason: str
) -> None:
    laboratory.config(**changes)
    reload(run, "failure")
    assert reason in run.log_tail()
    assert {curl(laboratory, "/1k").server for _ in range(4)} == _names(laboratory)


def _names(laboratory: Laboratory) -> set[str]:
    return {server.name for server in laboratory.servers}


def _with_another_listener(laboratory: Laboratory) -> dict[str, Any]:
    listeners: dict[str, Any] = laboratory.default_config()["listeners"]
    return listeners | {"new": {"address": f"{VIP}:{_NEW_PORT}", "default": "web"}}
