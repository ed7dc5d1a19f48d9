"""Clients with IPv6 that are denied, and neighbours of one /64 that count as one client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP6, Laboratory, Namespace, Run
from deploy.laboratory.namespace import LaboratoryError
from tests.e2e.runs import running

_FENCED, _METERED = 8401, 8402


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    suspect, _ = laboratory.clients
    listeners = {
        "fenced": {"address": f"[{VIP6}]:{_FENCED}", "deny": [suspect.address6], "default": "six"},
        "metered": {
            "address": f"[{VIP6}]:{_METERED}",
            "limits": {"request_rate": {"rate": "1/m", "burst": 2}},
            "default": "six",
        },
    }
    pools = {"six": {"health": {"interval": "500ms"}, "servers": [f"[{laboratory.servers[0].address6}]:80"]}}
    with running(laboratory, listeners=listeners, pools=pools) as started:
        yield started


def status(client: Namespace, port: int) -> int:
    """The status of one request."""
    argv = [
        "curl",
        "-sS",
        "--connect-timeout",
        "1",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        f"http://[{VIP6}]:{port}/1k",
    ]
    return int(client.run(argv))


def test_a_denied_address(laboratory: Laboratory, run: Run) -> None:
    suspect, honest = laboratory.clients
    with pytest.raises(LaboratoryError, match="exit status 28"):
        status(suspect, _FENCED)
    assert status(honest, _FENCED) == 200
    assert run.metrics().total("l7lb_drops_total", reason="denied") >= 1


def test_neighbours_are_one_client(laboratory: Laboratory, run: Run) -> None:
    first, second = laboratory.clients
    assert [status(client, _METERED) for client in (first, second, first, second)] == [200, 200, 429, 429]
