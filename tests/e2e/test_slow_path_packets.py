"""How many packets of a connection the slow path sees: a few, whatever the size of the transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.configuration import pool
from tests.e2e.clients import ab
from tests.e2e.transfers import expect_download, expect_upload

MOST = 8
"""Packets of one connection, in and out, that may go through the slow path."""

_SIZES = ("1k", "100k", "1M", "10M", "100M")
_CHECKS = {"tcp": True, "interval": "60m", "timeout": "1s", "rise": 1, "fall": 1}


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """L7LB that probes its servers only once, so that every packet counted is a client's doing."""
    web = pool(*(server.address for server in laboratory.servers), health=_CHECKS)
    started = laboratory.run(laboratory.config(pools=dict.fromkeys(("images", "api", "web"), web)))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.fixture(params=[True, False], ids=["super-packets", "packets as on a wire"])
def offloads(laboratory: Laboratory, request: pytest.FixtureRequest) -> Iterator[None]:
    laboratory.set_offloads(request.param)
    yield
    laboratory.set_offloads(True)


@pytest.mark.parametrize("transfer", [expect_download, expect_upload])
def test_packets_of_one_transfer(
    laboratory: Laboratory, run: Run, offloads: None, transfer: Callable[[Laboratory, str], None]
) -> None:
    counts = {}
    for size in _SIZES:
        before = run.metrics().slow_packets
        transfer(laboratory, size)
        counts[size] = run.metrics().slow_packets - before
    assert max(counts.values()) <= MOST, counts
    assert min(counts.values()) > 0, counts


def test_packets_of_many_connections(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    assert ab(laboratory, "/10k", requests=2000, concurrency=16) == 0
    after = run.metrics()
    connections = after.total("l7lb_listener_connections_total") - before.total("l7lb_listener_connections_total")
    assert connections >= 2000  # ab opens some more that it does not need in the end
    assert (after.slow_packets - before.slow_packets) / connections <= MOST
