"""The switch forwards and its control plane is out of reach, or has less room than there are connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import wait_until
from tests.e2e.away import wait_until_it_forwards_instead, wait_until_it_splices_again
from tests.e2e.clients import ab
from tests.e2e.fastpaths import ON_EVERY_SWITCH
from tests.e2e.forwarder import Forwarder
from tests.e2e.runs import running
from tests.e2e.sockets import TIMEOUT, connect, read_exactly, read_head
from tests.e2e.switch_tables import records
from tests.e2e.transfers import expect_download

pytestmark = ON_EVERY_SWITCH

_PORT, _FORWARDED = 80, 50053
_REQUEST = f"GET /1M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode()
_SIZE = 1_000_000
_TIMEOUTS = {"linger": "500ms", "idle": "3s"}


def test_out_of_reach(laboratory: Laboratory) -> None:
    """Spliced connections go on, new ones are forwarded by the slow path, and nothing is left behind of either."""
    target = int(laboratory.switch.grpc.rpartition(":")[2])
    fastpath = laboratory.default_config()["fastpath"] | {"grpc": f"127.0.0.1:{_FORWARDED}"}
    with (
        Forwarder(laboratory.balancer, _FORWARDED, target) as forwarder,
        running(laboratory, fastpath=fastpath, timeouts=_TIMEOUTS) as run,
    ):
        with connect(laboratory.client, VIP, _PORT) as client:
            client.sendall(_REQUEST)
            rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
            forwarder.cut()
            wait_until_it_forwards_instead(laboratory, run)
            before = run.metrics().slow_packets
            assert len(read_exactly(client, rest)) == rest
            assert run.metrics().slow_packets - before < rest // 1460 // 2, "it went through the slow path"
        before = run.metrics().slow_packets
        expect_download(laboratory, "100k")
        assert run.metrics().slow_packets - before > 2 * 100_000 // 1460
        forwarder.mend()
        wait_until_it_splices_again(laboratory, run)
        # What ended while nobody could be told is found by its silence.
        wait_until(lambda: run.status()["connections"] == 0, 3 * TIMEOUT, "no connection is left")
        wait_until(lambda: records(laboratory) == 0, TIMEOUT, "no record is left")


@pytest.fixture
def narrow(laboratory: Laboratory) -> Iterator[None]:
    """A switch whose digests have so few bits that most connections share theirs with another one."""
    laboratory.switch.stop()
    laboratory.switch.start(DIGEST_BITS=6)
    yield
    laboratory.switch.stop()
    laboratory.switch.start()


def test_digests_that_collide(laboratory: Laboratory, narrow: None) -> None:
    with running(laboratory, timeouts=_TIMEOUTS) as run:
        assert ab(laboratory, "/10k", requests=500, concurrency=32) == 0
        assert run.metrics().total("l7lb_splice_collisions_total") > 50
        expect_download(laboratory, "1M")
        wait_until(lambda: records(laboratory) == 0, 2 * TIMEOUT, "no record is left")


@pytest.fixture
def tiny(laboratory: Laboratory) -> Iterator[None]:
    """A switch with room for next to no connection."""
    laboratory.switch.stop()
    laboratory.switch.start(CONNECTIONS=16, OVERRIDES=16)
    yield
    laboratory.switch.stop()
    laboratory.switch.start()


def test_tables_that_are_full(laboratory: Laboratory, tiny: None) -> None:
    with running(laboratory, timeouts=_TIMEOUTS) as run:
        assert ab(laboratory, "/10k", requests=300, concurrency=48) == 0
        expect_download(laboratory, "1M")
        wait_until(lambda: run.status()["connections"] == 0, 2 * TIMEOUT, "no connection is left")
        wait_until(lambda: records(laboratory) == 0, TIMEOUT, "no record is left")
        assert "Traceback" not in run.log.read_text()
