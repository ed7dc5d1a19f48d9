"""The main job: requests go where the rules say, under load, without a failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.clients import ab, curl, timeouts, wrk

ALL = {"server1", "server2", "server3", "server4"}


@pytest.mark.parametrize(
    ("host", "path", "servers"),
    [
        ("img.example.com", "/static/1k", {"server1"}),
        ("IMG.example.com:80", "/static/1k?query", {"server1"}),
        ("img.example.com", "/elsewhere/1k", ALL),
        ("api.example.com", "/v12/1k", {"server2"}),
        ("deep.api.example.com", "/v1/1k", {"server2"}),
        ("api.example.com", "/version/1k", ALL),
        ("www.example.org", "/static/1k", ALL),
    ],
)
def test_rules_pick_the_server(laboratory: Laboratory, run: Run, host: str, path: str, servers: set[str]) -> None:
    answers = [curl(laboratory, path, "-H", f"Host: {host}") for _ in range(len(ALL))]
    assert {answer.status for answer in answers} == {200}
    assert {answer.server for answer in answers} == servers


def test_requests_are_counted_by_pool(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics().total("l7lb_requests_total", listener="web", pool="images")
    curl(laboratory, "/static/1k", "-H", "Host: img.example.com")
    assert run.metrics().total("l7lb_requests_total", listener="web", pool="images") == before + 1


def test_handshakes_are_the_fast_paths(laboratory: Laboratory, run: Run) -> None:
    names = ("l7lb_syns_answered_total", "l7lb_handshakes_total", "l7lb_close_reports_lost_total")
    before = run.metrics()
    for _ in range(5):
        curl(laboratory, "/1k")
    after = run.metrics()
    assert [after.total(name) - before.total(name) for name in names] == [5, 5, 0]


@pytest.mark.alone
@pytest.mark.parametrize("load", ["ab", "wrk"])
def test_load_fails_nothing_and_times_out_no_more_than_directly(laboratory: Laboratory, run: Run, load: str) -> None:
    loads: dict[str, Callable[[str], None]] = {
        "ab": lambda address: _expect(ab(laboratory, "/1k", requests=20_000, concurrency=64, address=address), 0),
        "wrk": lambda address: _expect(wrk(laboratory, "/1k", concurrency=64, seconds=10, address=address), []),
    }
    counts = []
    for address in (laboratory.servers[0].direct, VIP):
        before = timeouts(laboratory)
        loads[load](address)
        counts.append(timeouts(laboratory) - before)
    direct, balanced = counts
    assert balanced <= direct


def _expect(value: object, expected: object) -> None:
    assert value == expected
