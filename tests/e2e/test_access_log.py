"""The access log, held against what the servers' own logs say of the same requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.keep_alive import by_path, kept_alive, servers_of

pytestmark = EVERY_FASTPATH

_PATIENCE = 10.0
_REQUESTS = 100


class Log:
    """The file that the balancer writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = 0

    def next(self, count: int) -> list[dict[str, Any]]:
        """The next lines, exactly `count`."""
        wait_until(lambda: len(self._lines()) >= self._seen + count, _PATIENCE, f"{count} more lines are there")
        lines = self._lines()[self._seen :]
        self._seen += count
        assert len(lines) == count
        return [json.loads(line) for line in lines]

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("log") / "access.log")


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, log: Log) -> Iterator[Run]:
    """Three pools by path."""
    started = laboratory.run(laboratory.config(**by_path(laboratory), access_log={"output": str(log.path)}))
    yield started
    assert started.stop() == 0, started.log_tail()


def served(laboratory: Laboratory, count: int) -> dict[str, tuple[int, int, str]]:
    """What the servers have logged: bytes of the request and of the response, and the request line, by client."""

    def lines() -> list[str]:
        files = [server.requests for server in laboratory.servers]
        return [line for file in files if file.exists() for line in file.read_text().splitlines()]

    wait_until(lambda: len(lines()) >= count, _PATIENCE, f"the servers have logged {count} requests")
    found = {}
    for line in lines():
        client, received, sent, request = line.split(" ", 3)
        found[client] = int(received), int(sent), request
    return found


def test_what_the_servers_say(laboratory: Laboratory, run: Run, log: Log) -> None:
    paths = ["/one/logged/1k", "/two/logged/100k", "/logged/1M"]
    for path in paths:
        assert curl(laboratory, path, "-A", 'a "b"\t').status == 200
    theirs = served(laboratory, len(paths))
    counts = run.status()["fastpath"]["kind"] == "ebpf"
    for entry, path, pool, server in zip(log.next(3), paths, ("one", "two", "other"), laboratory.servers, strict=False):
        received, sent, request = theirs[entry["client"]]
        assert request == f"{entry['method']} {entry['target']} HTTP/{entry['version']}" == f"GET {path} HTTP/1.1"
        assert (entry["pool"], entry["server"]) == (pool, f"{server.address}:80")
        assert (entry["host"], entry["user_agent"], entry["ended"]) == (VIP, 'a "b"', "closed")
        assert (entry["bytes_in"], entry["bytes_out"]) == (received, sent if counts else None)
        assert (entry["packets_out"] is not None) is counts
        assert 0 < entry["connect"] < entry["duration"]


def test_a_connection_of_several_requests(laboratory: Laboratory, run: Run, log: Log) -> None:
    paths = ["/one/1k", "/one/10k", "/two/1k", "/1k"]
    with kept_alive(laboratory) as client:
        assert servers_of(client, paths) == ["server1", "server1", "server2", "server3"]
    entries = log.next(4)
    assert [entry["target"] for entry in entries] == paths
    assert [entry["pool"] for entry in entries] == ["one", "one", "two", "other"]
    assert [entry["connect"] is not None for entry in entries] == [True, False, True, True]
    for entry, size in zip(entries[:-1], (1024, 10240, 1024), strict=True):
        assert size < entry["bytes_out"] < size + 500
        assert entry["bytes_in"] == len(f"GET {entry['target']} HTTP/1.1\r\nHost: {VIP}\r\n") + _HTTP_CLIENT


_HTTP_CLIENT = len("Accept-Encoding: identity\r\n\r\n")
"""Bytes of what Python's client adds to a request."""


def test_own_answers(laboratory: Laboratory, run: Run, log: Log) -> None:
    assert curl(laboratory, "/", "-H", "Host:").status == 400
    (entry,) = log.next(1)
    assert (entry["status"], entry["ended"], entry["server"], entry["method"]) == (400, "answered", None, None)


def test_a_line_for_each_request(laboratory: Laboratory, run: Run, log: Log) -> None:
    assert ab(laboratory, "/one/1k", requests=_REQUESTS, concurrency=4) == 0
    entries = log.next(_REQUESTS)
    assert {(entry["target"], entry["pool"]) for entry in entries} == {("/one/1k", "one")}
    assert len({entry["client"] for entry in entries}) == _REQUESTS
    lines = run.metrics()
    assert lines.total("l7lb_access_log_lines_total", result="written") == 8 + _REQUESTS
    assert lines.total("l7lb_access_log_lines_total", result="lost") == 0
