"""Requests that come again go on without the slow path, between real clients and servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.server import PORT
from tests.e2e.clients import wrk
from tests.e2e.keep_alive import by_path_to_two, kept_alive, servers_of

COUNT = 40


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """Three pools by path; the first one has two servers."""
    started = laboratory.run(laboratory.config(**by_path_to_two(laboratory)))
    yield started
    assert started.stop() == 0, started.log_tail()


def by_itself(run: Run) -> float:
    return run.metrics().total("l7lb_fastpath_requests_total")


def test_every_request_is_counted_and_most_are_the_fast_paths(laboratory: Laboratory, run: Run) -> None:
    before, requests = by_itself(run), run.metrics().total("l7lb_requests_total")
    with kept_alive(laboratory) as client:
        servers = set(servers_of(client, ["/one/1k"] * COUNT))
    assert len(servers) == 1
    assert run.metrics().total("l7lb_requests_total") - requests == COUNT
    assert by_itself(run) > before


def test_others_in_between_find_their_own_servers(laboratory: Laboratory, run: Run) -> None:
    before = by_itself(run)
    with kept_alive(laboratory) as client:
        paths = ["/1k"] * 4 + ["/two/1k"] * 4 + ["/1k", "/two/10k", "/1k", "/1k"]
        assert servers_of(client, paths * 3) == ["server3" if path == "/1k" else "server2" for path in paths * 3]
    assert by_itself(run) > before


def test_no_answer_is_missing_under_load(laboratory: Laboratory, run: Run) -> None:
    before = by_itself(run)
    assert wrk(laboratory, "/two/1k", concurrency=32, seconds=2) == []
    assert by_itself(run) > before


def test_a_drained_server_gets_no_more_of_them(laboratory: Laboratory, run: Run) -> None:
    with kept_alive(laboratory) as client:
        (server,) = set(servers_of(client, ["/one/1k"] * COUNT))
        (drained,) = (each.address for each in laboratory.servers if each.name == server)
        run.cli("drain", f"{drained}:{PORT}", "--pool", "one", "--admin", str(run.admin))
        (other,) = set(servers_of(client, ["/one/1k"] * COUNT))
        assert other != server
