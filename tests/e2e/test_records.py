"""A record is never left behind, however its connection ended."""

from __future__ import annotations

import json
import mmap
import os
from array import array
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import sh, wait_until
from fastpath.ebpf import layout
from fastpath.ebpf.libbpf import library
from tests.e2e.clients import ab, curl
from tests.e2e.sockets import connect, read_exactly, read_head, reset

_LINGER, _IDLE = 1.0, 2.0
_SLACK = 4.0
_PORT = 80
_REQUEST = f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    timeouts = {"linger": f"{_LINGER:.0f}s", "idle": f"{_IDLE:.0f}s"}
    started = laboratory.run(laboratory.config(timeouts=timeouts))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_after_many_connections(laboratory: Laboratory, run: Run) -> None:
    assert ab(laboratory, "/10k", requests=3000, concurrency=64) == 0
    _expect_none_within(laboratory, run, _LINGER)


def test_after_resets(laboratory: Laboratory, run: Run) -> None:
    clients = [connect(laboratory.client, VIP, _PORT) for _ in range(20)]
    for client in clients:
        client.sendall(_REQUEST)
    for client in clients:
        read_exactly(client, 1000)
        reset(client)
    _expect_none_within(laboratory, run, _LINGER)


def test_after_refused_requests(laboratory: Laboratory, run: Run) -> None:
    for _ in range(20):
        with connect(laboratory.client, VIP, _PORT) as client:
            client.sendall(b"nonsense\r\n\r\n")
            read_head(client)
    _expect_none_within(laboratory, run, _LINGER)


def test_silent_connections_age_out(laboratory: Laboratory, run: Run) -> None:
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(_REQUEST.replace(b"100M", b"1k"))
        read_head(client)
        assert run.status()["connections"] == 1
        assert _records(laboratory) > 0
        _expect_none_within(laboratory, run, 2 * _IDLE + _LINGER)


def test_transfers_do_not_age_out(laboratory: Laboratory, run: Run) -> None:
    """One slower than the idle timeout, but never silent for so long."""
    curl(laboratory, "/10M", "--limit-rate", "3M")


def _expect_none_within(laboratory: Laboratory, run: Run, seconds: float) -> None:
    wait_until(lambda: run.status()["connections"] == 0, seconds + _SLACK, "no connection is left")
    wait_until(lambda: _records(laboratory) == 0, _SLACK, "no record is left")


def _records(laboratory: Laboratory) -> int:
    """How many records the program's own memory has a splice in."""
    pin = laboratory.pins / "l7lb_splices"
    count: int = json.loads(sh(["bpftool", "-j", "map", "show", "pinned", str(pin)]))["max_entries"]
    descriptor: int = library().dll.bpf_obj_get(os.fsencode(pin))
    assert descriptor >= 0
    with mmap.mmap(descriptor, -(-count * layout.RECORD_BYTES // mmap.PAGESIZE) * mmap.PAGESIZE) as memory:
        os.close(descriptor)
        words = array("I", memory[: count * layout.RECORD_BYTES])
    return sum(map(bool, words[layout.GENERATION :: layout.RECORD_WORDS]))
