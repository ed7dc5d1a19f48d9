"""IPv6 end to end, in both modes, and connections whose ends are of different IP versions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.laboratory import VIP, VIP6, Laboratory, Run
from deploy.laboratory.configuration import endpoint, pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import ab, curl, wrk
from tests.e2e.sockets import TIMEOUT
from tests.e2e.transfers import expect_download, expect_modern_options, expect_upload
from tests.faults.wire import BadWire

_SNAT = tuple(map(ipaddress.ip_network, ("10.2.0.16/28", "2001:db8:2::20/124")))


@dataclass(frozen=True, slots=True)
class _Scene:
    """Which IP version clients and servers have, and what servers see."""

    client: int
    server: int
    transparent: bool = False

    @property
    def vip(self) -> str:
        return VIP6 if self.client == 6 else VIP

    @property
    def host(self) -> str:
        """The VIP as it stands in a URL."""
        return f"[{VIP6}]" if self.client == 6 else VIP

    def document(self, laboratory: Laboratory) -> dict[str, Any]:
        servers = laboratory.servers
        addresses = [server.address6 if self.server == 6 else server.address for server in servers]
        return {
            "source": "transparent" if self.transparent else {"snat": list(map(str, _SNAT))},
            "listeners": {"web": {"address": endpoint(self.vip), "default": "web"}},
            "pools": {"web": pool(*addresses)},
        }


_SCENES = {
    "transparent": _Scene(6, 6, transparent=True),
    "snat": _Scene(6, 6),
    "6 to 4": _Scene(6, 4),
    "4 to 6": _Scene(4, 6),
}


def _in(*scenes: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scene", scenes, indirect=True, scope="module")


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> _Scene:
    return _SCENES[request.param]


@pytest.fixture(scope="module")
def config(laboratory: Laboratory, scene: _Scene) -> Path:
    return laboratory.config(**scene.document(laboratory))


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, config: Path) -> Iterator[Run]:
    started = laboratory.run(config)
    yield started
    assert started.stop() == 0, started.log_tail()


@_in(*_SCENES)
def test_traffic(laboratory: Laboratory, run: Run, scene: _Scene) -> None:
    answers = [curl(laboratory, "/1k", address=scene.host) for _ in laboratory.servers]
    assert {answer.server for answer in answers} == {server.name for server in laboratory.servers}
    for answer in answers:
        seen = ipaddress.ip_address(answer.client)
        assert seen.version == scene.server
        if scene.transparent:
            assert answer.client == laboratory.client.address6
        else:
            assert any(seen in network for network in _SNAT)
    assert ab(laboratory, "/10k", requests=500, concurrency=16, address=scene.host) == 0
    assert wrk(laboratory, "/1k", concurrency=16, seconds=1, address=scene.host) == []


@_in(*_SCENES)
def test_the_fast_path_carries_it(laboratory: Laboratory, run: Run, scene: _Scene) -> None:
    before = run.metrics()
    expect_modern_options(laboratory, scene.vip)
    expect_download(laboratory, "100M", scene.host)
    expect_upload(laboratory, "100M", scene.host)
    after = run.metrics()
    slow, fast = (
        after.total(name) - before.total(name) for name in ("l7lb_slowpath_packets_total", "l7lb_server_packets_total")
    )
    # Health checks are the slow path's, too.
    assert fast > 100_000 and slow < fast / 50
    assert after.total("l7lb_drops_total") == before.total("l7lb_drops_total")


@_in(*_SCENES)
def test_every_packet_fits_without_offloads_and_survives_a_bad_wire(
    laboratory: Laboratory, run: Run, scene: _Scene, bad_wire: BadWire
) -> None:
    expect_download(laboratory, "10M", scene.host)
    expect_upload(laboratory, "10M", scene.host)
    for port in ("client", "balancer0", "balancer1"):
        bad_wire.set(port, lose=0.005, duplicate=0.005, reorder=0.005)
    expect_download(laboratory, "10M", scene.host)
    expect_upload(laboratory, "10M", scene.host)


@_in("transparent")
def test_a_server_that_goes_is_noticed_and_a_reload_drops_nothing(
    laboratory: Laboratory, run: Run, scene: _Scene, config: Path
) -> None:
    gone, *others = laboratory.servers
    gone.stop()
    try:
        wait_until(lambda: run.servers_up(len(others)), TIMEOUT, "the server is down")
        names = {curl(laboratory, "/1k", address=scene.host).server for _ in range(2 * len(others))}
        assert names == {server.name for server in others}
    finally:
        gone.start()
    wait_until(lambda: run.servers_up(len(laboratory.servers)), TIMEOUT, "the server is up")
    laboratory.config(**scene.document(laboratory) | {"timeouts": {"linger": "1s"}})
    run.cli("reload", "--admin", str(run.admin))
    assert curl(laboratory, "/1k", address=scene.host).status == 200
