"""A fast path without room: connections that find none are forwarded by the slow path, whole and to the end."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from deploy.laboratory import VIP, VIP6, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from tests.e2e.sockets import connect, read_exactly, read_head
from tests.e2e.transfers import expect_download, expect_upload

_PORT = 80
_CAPACITY = 1024
"""The least that a configuration may ask for."""
_REQUEST = f"GET /1k HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    document = laboratory.default_config()
    fastpath = document["fastpath"] | {"capacity": _CAPACITY}
    listeners = document["listeners"] | {"web6": {"address": f"[{VIP6}]:{_PORT}", "default": "web"}}
    source = {"snat": ["10.2.0.16/28"]}
    started = laboratory.run(laboratory.config(fastpath=fastpath, listeners=listeners, source=source))
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.fixture(scope="module")
def full(laboratory: Laboratory, run: Run) -> Iterator[None]:
    """As many open connections as there is room for."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * _CAPACITY), before[1]))
    with ExitStack() as stack:
        for _ in range(_CAPACITY):
            client = stack.enter_context(connect(laboratory.client, VIP, _PORT))
            client.sendall(_REQUEST)
            read_exactly(client, 1000 - len(read_head(client).partition(b"\r\n\r\n")[2]))
        assert run.status()["fastpath"]["splices"] == _CAPACITY
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("offloads", [True, False], ids=["super-packets", "packets as on a wire"])
@pytest.mark.parametrize("address", [VIP, f"[{VIP6}]"], ids=["4 to 4", "6 to 4"])
def test_transfers_arrive_whole(laboratory: Laboratory, run: Run, full: None, address: str, offloads: bool) -> None:
    laboratory.set_offloads(offloads)
    try:
        before = run.metrics().slow_packets
        expect_download(laboratory, "1M", address)
        expect_upload(laboratory, "1M", address)
    finally:
        laboratory.set_offloads(True)
    assert run.metrics().slow_packets - before > 100, "they went through the fast path"
    assert run.status()["fastpath"]["splices"] == _CAPACITY


def test_nothing_stays(laboratory: Laboratory, run: Run, full: None) -> None:
    _wait_for_the_others(run)
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(_REQUEST)
        read_head(client)
        assert run.status()["connections"] == _CAPACITY + 1
    _wait_for_the_others(run)


def _wait_for_the_others(run: Run) -> None:
    wait_until(lambda: run.status()["connections"] == _CAPACITY, 6.0, "connections without a splice are forgotten")
