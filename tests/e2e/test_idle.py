"""Hundreds of connections that nobody uses for a while: they are listed, and go on as if nothing had been."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from slowpath.control.admin import request
from tests.e2e.keep_alive import by_path, kept_alive, servers_of

_CONNECTIONS = 200
_BY_REQUEST, _BY_CONNECTION = 80, 81


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    document = by_path(laboratory, routing="request")
    document["listeners"]["first"] = document["listeners"]["web"] | {
        "address": f"{VIP}:{_BY_CONNECTION}",
        "routing": "connection",
    }
    started = laboratory.run(laboratory.config(**document))
    yield started
    assert started.stop() == 0, started.log_tail()


def ask(run: Run, command: str, **arguments: object) -> Any:  # noqa: ANN401 - whatever the command answers
    return request(run.admin, command, arguments)


@pytest.mark.parametrize("port", [_BY_REQUEST, _BY_CONNECTION], ids=["by request", "by connection"])
def test_idle_connections_are_listed_and_used_again(laboratory: Laboratory, run: Run, port: int) -> None:
    with contextlib.ExitStack() as stack:
        clients: list[http.client.HTTPConnection] = []
        for index in range(_CONNECTIONS):
            client = stack.enter_context(kept_alive(laboratory, port))
            servers_of(client, [("/one/1k", "/two/1k")[index % 2]])
            clients.append(client)
        wait_until(lambda: ask(run, "status")["resting"] == _CONNECTIONS, 20.0, "all are at rest")

        rows = json.loads(run.cli("connections", "--json", "--admin", str(run.admin)))
        assert {row["client"] for row in rows} == {
            "{}:{}".format(*client.sock.getsockname()) for client in clients if client.sock is not None
        }
        assert {(row["vip"], row["state"]) for row in rows} == {(f"{VIP}:{port}", "spliced")}
        assert [row["age_seconds"] for row in rows] == sorted((row["age_seconds"] for row in rows), reverse=True)
        assert ask(run, "connections", pool="two")["matching"] == _CONNECTIONS // 2
        few = ask(run, "connections", limit=7)
        assert (len(few["rows"]), few["matching"]) == (7, _CONNECTIONS)

        for index, client in enumerate(clients):
            first, other = ("/one/1k", "/two/1k") if index % 2 == 0 else ("/two/1k", "/one/1k")
            again = servers_of(client, [first, other, first])
            if port == _BY_REQUEST:
                assert again[0] == again[2] != again[1]
            else:
                assert len(set(again)) == 1
        assert ask(run, "connections")["matching"] == _CONNECTIONS
    wait_until(lambda: ask(run, "status")["connections"] == 0, 20.0, "all are gone")
    assert ask(run, "status")["resting"] == 0
