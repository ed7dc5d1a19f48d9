"""A fast path that is not to learn leaves every connection and every request to the slow path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import Laboratory, Run
from tests.e2e.clients import ab
from tests.e2e.keep_alive import by_path, kept_alive, servers_of


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    fastpath = laboratory.default_config()["fastpath"] | {"learning": False}
    started = laboratory.run(laboratory.config(fastpath=fastpath, **by_path(laboratory)))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_the_slow_path_sees_them_all(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    assert ab(laboratory, "/one/1k", requests=200, concurrency=8) == 0
    with kept_alive(laboratory) as client:
        assert set(servers_of(client, ["/two/1k"] * 10)) == {"server2"}
    after = run.metrics()
    assert after.total("l7lb_requests_total") - before.total("l7lb_requests_total") == 210
    for name in ("l7lb_fastpath_connections_total", "l7lb_fastpath_requests_total"):
        assert after.total(name) == 0
