"""Which servers are used: priorities and backups, limits with a queue, and a slow start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.server import PORT
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH

pytestmark = EVERY_FASTPATH

_RANKED, _LIMITED, _UNLIMITED, _SLOW = (f"{VIP}:{port}" for port in range(81, 85))
_TIMEOUT = 10.0
_CHECKS = {"http": "/healthz", "interval": "200ms", "timeout": "100ms", "rise": 1, "fall": 2}


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    addresses = [server.address for server in laboratory.servers]

    def servers(*keys: Mapping[str, object]) -> list[Mapping[str, object]]:
        return [{"address": f"{address}:{PORT}", **more} for address, more in zip(addresses, keys, strict=True)]

    pools = {
        "ranked": pool(health=_CHECKS, passive=False, servers=servers({}, {}, {"priority": 1}, {"backup": True})),
        "limited": pool(servers=servers(*[{"max_connections": 2}] * 4)),
        "unlimited": pool(*addresses),
        "slow": pool(*addresses, health=_CHECKS, slow_start="10m"),
    }
    listeners = {
        "ranked": {"address": _RANKED, "default": "ranked"},
        "limited": {"address": _LIMITED, "default": "limited"},
        "unlimited": {"address": _UNLIMITED, "default": "unlimited"},
        "slow": {"address": _SLOW, "default": "slow"},
    }
    started = laboratory.run(laboratory.config(listeners=listeners, pools=pools))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_backups_take_over_and_hand_back(laboratory: Laboratory, run: Run) -> None:
    first, second, third, backup = laboratory.servers

    def used() -> set[str]:
        return {curl(laboratory, "/1k", address=_RANKED).server for _ in range(4)}

    assert used() == {first.name, second.name}
    try:
        first.stop()
        second.stop()
        # At once, as connects that are refused go on with the next priority.
        assert used() == {third.name}
        third.stop()
        assert used() == {backup.name}
        wait_until(lambda: run.metrics().total("l7lb_server_up", pool="ranked") == 1, _TIMEOUT, "three are down")
        assert used() == {backup.name}
        second.start()
        wait_until(lambda: used() == {second.name}, _TIMEOUT, "a better one takes over")
    finally:
        for server in (first, second, third):
            server.stop()
            server.start()
    wait_until(lambda: run.servers_up(16), _TIMEOUT, "all are back")
    assert used() == {first.name, second.name}


def test_no_server_gets_more_connections_than_it_takes(laboratory: Laboratory, run: Run) -> None:
    path = "/two-at-a-time/100k"
    assert ab(laboratory, path, requests=24, concurrency=24, address=_UNLIMITED) > 0
    assert ab(laboratory, path, requests=24, concurrency=24, address=_LIMITED) == 0
    metrics = run.metrics()
    assert metrics.total("l7lb_queued_total", pool="limited") == 16
    assert metrics.total("l7lb_queue_duration_seconds_count") == 16
    assert metrics.total("l7lb_queue_length") == 0
    assert metrics.total("l7lb_queue_failures_total") == 0
    assert metrics.total("l7lb_responses_total", listener="limited") == 0


def test_a_server_that_comes_up_starts_slowly(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[0]
    server.stop()
    wait_until(lambda: run.metrics().total("l7lb_server_up", pool="slow") == 3, _TIMEOUT, "it is down")
    server.start()
    wait_until(lambda: run.metrics().total("l7lb_server_up", pool="slow") == 4, _TIMEOUT, "it is up")
    shares = Counter(curl(laboratory, "/1k", address=_SLOW).server for _ in range(32))
    # A tenth of a share among three whole ones.
    assert shares[server.name] <= 2
