"""The main job through the switch's program: requests go where the rules say, whole and without a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.content import SIZES
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.topology import CLIENT_GATEWAY
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import ON_EVERY_SWITCH
from tests.e2e.sockets import TIMEOUT
from tests.e2e.transfers import expect_download, expect_upload

pytestmark = ON_EVERY_SWITCH

ALL = {"server1", "server2", "server3", "server4"}
_CHECKS = {"http": "/healthz", "interval": "60m", "timeout": "1s", "rise": 1, "fall": 1}
_MOST = 12
"""Packets of one connection, in and out, that may go through the slow path, which answers its SYN here."""

_TRANSFERS = {"1k": 4, "100k": 4, "1M": 4, "10M": 1}
"""How often which file: those of four servers, in turn."""


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """L7LB that probes its servers only once, so that every packet counted is a client's doing."""
    addresses = [server.address for server in laboratory.servers]
    pools = {"images": addresses[:1], "api": addresses[1:2], "web": addresses}
    config = laboratory.config(pools={name: pool(*chosen, health=_CHECKS) for name, chosen in pools.items()})
    started = laboratory.run(config)
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.mark.parametrize(
    ("host", "path", "servers"),
    [
        ("img.example.com", "/static/1k", {"server1"}),
        ("api.example.com", "/v12/1k", {"server2"}),
        ("www.example.org", "/static/1k", ALL),
    ],
)
def test_rules_pick_the_server(laboratory: Laboratory, run: Run, host: str, path: str, servers: set[str]) -> None:
    answers = [curl(laboratory, path, "-H", f"Host: {host}") for _ in range(len(ALL))]
    assert {answer.status for answer in answers} == {200}
    assert {answer.server for answer in answers} == servers


@pytest.mark.parametrize("transfer", [expect_download, expect_upload])
def test_transfers_are_whole_and_none_of_the_slow_paths_business(
    laboratory: Laboratory, run: Run, transfer: Callable[[Laboratory, str], None]
) -> None:
    counts, carried = {}, run.metrics().fast_packets
    for size, times in _TRANSFERS.items():
        for count in range(times):
            before = run.metrics().slow_packets
            transfer(laboratory, size)
            counts[size, count] = run.metrics().slow_packets - before
    assert 0 < min(counts.values()) <= max(counts.values()) <= _MOST, counts
    least = sum(times * SIZES[size] for size, times in _TRANSFERS.items()) // 1460
    # A switch's counters are read once a second.
    wait_until(lambda: run.metrics().fast_packets - carried >= least, TIMEOUT, "every packet is counted")


def test_load_fails_nothing(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    assert ab(laboratory, "/10k", requests=500, concurrency=16) == 0
    after = run.metrics()
    connections = after.total("l7lb_listener_connections_total") - before.total("l7lb_listener_connections_total")
    assert connections >= 500
    assert (after.slow_packets - before.slow_packets) / connections <= _MOST
    assert after.total("l7lb_drops_total", reason="no_route") == before.total("l7lb_drops_total", reason="no_route")


@pytest.mark.parametrize("address", [VIP, CLIENT_GATEWAY])
def test_the_switch_answers_pings(laboratory: Laboratory, run: Run, address: str) -> None:
    output = laboratory.client.run(["ping", "-c", "3", "-i", "0.05", "-W", "2", address])
    assert " 0% packet loss" in output


def test_nothing_else_passes_the_switch(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[0]
    assert not laboratory.client.succeeds(["curl", "-s", "-m", "1", "-o", "/dev/null", f"http://{server.direct}/1k"])


def test_what_it_shows_of_itself(laboratory: Laboratory, run: Run) -> None:
    kind = laboratory.default_config()["fastpath"]["kind"]
    assert run.status()["fastpath"]["kind"] == kind
    assert run.metrics().total("l7lb_fastpath_info", kind=kind) == 1
    assert run.metrics().total("l7lb_splice_capacity") >= 65_536
    assert run.metrics().total("l7lb_reconciliations_total") == 1
