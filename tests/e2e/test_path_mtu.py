"""Path MTU discovery through the balancer, both ways: senders learn what routers behind it take."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import endpoint, pool
from tests.e2e.beyond import MTU, Beyond, beyond, expect_download, expect_upload, forget, learned, routes
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.sockets import connect, read_head
from tests.e2e.transfers import server_of

pytestmark = EVERY_FASTPATH

_SNAT = "10.2.0.16/28"
_IP_RECVERR = 11
"""linux/in.h: errors that may pass are reported, too."""


@pytest.fixture(scope="module")
def far(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beyond]:
    with beyond(laboratory, tmp_path_factory.mktemp("far")) as built:
        yield built


def document(laboratory: Laboratory, far: Beyond, source: object) -> dict[str, Any]:
    """Downloads come from the first server, uploads go to the one behind the router."""
    config = laboratory.default_config()
    if "routes" in config["fastpath"]:
        config["fastpath"]["routes"] = [*config["fastpath"]["routes"], *routes(laboratory)]
    uploads = {"path": {"prefix": "/upload/"}, "pool": "far"}
    return {
        "fastpath": config["fastpath"],
        "source": source,
        "listeners": {"web": {"address": endpoint(VIP), "routes": [uploads], "default": "near"}},
        "pools": {"near": pool(laboratory.servers[0].address), "far": pool(far.server.address)},
    }


@pytest.fixture(scope="module", params=["transparent", "snat"])
def run(laboratory: Laboratory, far: Beyond, request: pytest.FixtureRequest) -> Iterator[Run]:
    source = "transparent" if request.param == "transparent" else {"snat": [_SNAT]}
    started = laboratory.run(laboratory.config(**document(laboratory, far, source)))
    yield started
    assert started.stop() == 0, started.log_tail()


def _translated(run: Run) -> float:
    return run.metrics().total("l7lb_icmp_errors_total", kind="translated")


def test_a_server_learns_what_a_router_on_the_way_to_the_client_takes(
    laboratory: Laboratory, run: Run, far: Beyond
) -> None:
    before, server = _translated(run), laboratory.servers[0].namespace
    forget(server, far.client)
    expect_download(laboratory, far.client, "10M", VIP)
    assert learned(server) == {MTU}
    assert _translated(run) > before


def test_a_client_learns_what_a_router_on_the_way_to_the_server_takes(
    laboratory: Laboratory, run: Run, far: Beyond
) -> None:
    before = _translated(run)
    forget(laboratory.client, far.server.namespace)
    expect_upload(laboratory, far.server, "10M", VIP)
    assert learned(laboratory.client) == {MTU}
    assert _translated(run) > before


def test_a_client_learns_that_its_packets_expire_behind_the_balancer(
    laboratory: Laboratory, run: Run, far: Beyond
) -> None:
    request = b"GET /upload/nothing HTTP/1.1\r\nHost: any\r\n\r\n"
    with connect(laboratory.client, VIP, 80) as client:
        client.sendall(request)
        assert server_of(read_head(client)) == far.server.name
        client.setsockopt(socket.SOL_IP, _IP_RECVERR, 1)
        # The balancer takes one, the router the other.
        client.setsockopt(socket.SOL_IP, socket.IP_TTL, 2)
        client.sendall(request)
        with pytest.raises(OSError) as raised:
            while client.recv(65536):
                pass
        assert raised.value.errno == errno.EHOSTUNREACH
        # An error that may pass, so the connection goes on.
        client.setsockopt(socket.SOL_IP, socket.IP_TTL, 64)
        assert server_of(read_head(client)) == far.server.name
