"""Servers by name and from a file: they change while clients come and go, and no request fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.name_server import NameServer

pytestmark = EVERY_FASTPATH

_SOON = 10.0
_NAME = "web.internal"


@pytest.fixture(scope="module")
def name_server(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with NameServer(laboratory.balancer, tmp_path_factory.mktemp("names")) as server:
        yield server


@pytest.fixture(scope="module")
def servers_file(laboratory: Laboratory) -> Path:
    return laboratory.directory / "servers.json"


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, name_server: NameServer, servers_file: Path) -> Iterator[Run]:
    """The pool `web` has a name, which nobody knows at first, and `api` a file."""
    write(servers_file, laboratory.servers[0].address)
    by_name = pool(servers=[f"{_NAME}:80"], resolve="200ms")
    by_file = pool(servers_file=str(servers_file))
    del by_file["servers"]
    pools = laboratory.default_config()["pools"] | {"web": by_name, "api": by_file}
    started = laboratory.run(laboratory.config(pools=pools), resolver=name_server.resolver)
    yield started
    assert started.stop() == 0, started.log_tail()


def write(file: Path, *addresses: str) -> None:
    """Put a list of servers in the place of another, as those who manage such files do."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps([f"{address}:80" for address in addresses]))
    new.rename(file)


def test_a_name_that_nobody_knows_is_a_pool_without_servers(
    laboratory: Laboratory, run: Run, name_server: NameServer
) -> None:
    assert curl(laboratory, "/1k").status == 503
    assert "web.internal cannot be resolved, so it stands for no server" in run.said()
    assert run.metrics().total("l7lb_name_resolutions_total", pool="web", result="failure") >= 1
    assert run.metrics().total("l7lb_server_up", pool="web") == 0


def test_servers_come_and_go_with_the_addresses_of_their_name(
    laboratory: Laboratory, run: Run, name_server: NameServer
) -> None:
    first, second, third, _ = laboratory.servers
    name_server.answer({_NAME: [first.address, second.address]})
    wait_until(lambda: answering(laboratory) == {first.name, second.name}, _SOON, "both answer")
    name_server.answer({_NAME: [second.address, third.address]})
    assert ab(laboratory, "/1k", requests=200, concurrency=4) == 0
    wait_until(lambda: answering(laboratory) == {second.name, third.name}, _SOON, "the new ones answer")
    name_server.answer({})
    failures = run.metrics().total("l7lb_name_resolutions_total", result="failure")
    wait_until(
        lambda: run.metrics().total("l7lb_name_resolutions_total", result="failure") > failures, _SOON, "a failure"
    )
    assert answering(laboratory) == {second.name, third.name}


def test_servers_come_and_go_with_their_file(laboratory: Laboratory, run: Run, servers_file: Path) -> None:
    first, second, third, _ = laboratory.servers
    assert answering(laboratory, "api") == {first.name}
    write(servers_file, second.address, third.address)
    assert ab(laboratory, "/v1/1k", requests=200, concurrency=4, host="api.example.com") == 0
    wait_until(lambda: answering(laboratory, "api") == {second.name, third.name}, _SOON, "the new ones answer")
    servers_file.write_text("[10.2.0.11:80,\n 10.2.0.12]\n")
    wait_until(
        lambda: run.metrics().total("l7lb_servers_file_reads_total", result="failure") == 1, _SOON, "it is refused"
    )
    assert f"{servers_file}:2: [1].address: '10.2.0.12' is not ADDRESS:PORT" in run.said()
    assert answering(laboratory, "api") == {second.name, third.name}


def answering(laboratory: Laboratory, pool: str = "web") -> set[str]:
    """The servers that answer a few requests."""
    options: dict[str, Any] = {"web": ((), "/1k"), "api": (("-H", "Host: api.example.com"), "/v1/1k")}
    headers, path = options[pool]
    return {curl(laboratory, path, *headers).server for _ in range(4)}
