"""Path MTU discovery where the balancer is a host: IPv6, between IP versions, and on its own links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from deploy.laboratory import VIP, VIP6, Laboratory, Namespace, Run
from deploy.laboratory.configuration import endpoint, pool
from tests.e2e.beyond import MTU, Beyond, beyond, expect_download, expect_upload, forget, learned

_SNAT = ["10.2.0.16/28", "2001:db8:2::20/124"]
_FILE = "10M"
_FAR, _NEAR = "far", "near"
_HEADERS = {4: 20, 6: 40}


@dataclass(frozen=True, slots=True)
class _Scene:
    """Which IP version clients and servers have."""

    client: int
    server: int

    @property
    def vip(self) -> str:
        """As it stands in a URL."""
        return f"[{VIP6}]" if self.client == 6 else VIP

    def host(self, where: str) -> str:
        """The host that leads to the servers with this version."""
        return f"{where}{self.server}.example"

    @property
    def server_learns(self) -> int:
        """What it makes of MTU toward its client."""
        return MTU + _HEADERS[self.server] - _HEADERS[self.client]

    @property
    def client_learns(self) -> int:
        """The other way round."""
        return MTU + _HEADERS[self.client] - _HEADERS[self.server]


_SCENES = (_Scene(4, 4), _Scene(6, 6), _Scene(6, 4), _Scene(4, 6))


@pytest.fixture(params=_SCENES, ids=lambda scene: f"{scene.client} to {scene.server}")
def scene(request: pytest.FixtureRequest) -> _Scene:
    chosen: _Scene = request.param
    return chosen


@pytest.fixture(scope="module")
def far(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beyond]:
    with beyond(laboratory, tmp_path_factory.mktemp("far")) as built:
        yield built


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, far: Beyond) -> Iterator[Run]:
    """Pools of one server each, by where it is and which version it has."""
    near = laboratory.servers[0]
    pools = {"near4": near.address, "near6": near.address6, "far4": far.server.address, "far6": far.server.address6}
    routes = [{"host": f"{name}.example", "pool": name} for name in pools]
    started = laboratory.run(
        laboratory.config(
            source={"snat": _SNAT},
            listeners={
                "four": {"address": endpoint(VIP), "routes": routes},
                "six": {"address": endpoint(VIP6), "routes": routes},
            },
            pools={name: pool(address) for name, address in pools.items()},
        )
    )
    yield started
    assert started.stop() == 0, started.log_tail()


def test_a_server_learns_of_the_way_to_the_client(laboratory: Laboratory, run: Run, far: Beyond, scene: _Scene) -> None:
    server = laboratory.servers[0].namespace
    forget(server, far.client)
    expect_download(laboratory, far.client, _FILE, scene.vip, scene.host(_NEAR))
    assert learned(server) == {scene.server_learns}


def test_a_client_learns_of_the_way_to_the_server(laboratory: Laboratory, run: Run, far: Beyond, scene: _Scene) -> None:
    forget(laboratory.client, far.server.namespace)
    expect_upload(laboratory, far.server, _FILE, scene.vip, scene.host(_FAR))
    assert learned(laboratory.client) == {scene.client_learns}


def test_a_server_learns_of_our_link_to_the_client(laboratory: Laboratory, run: Run, scene: _Scene) -> None:
    before, server = _too_long(run), laboratory.servers[0].namespace
    forget(server, laboratory.client)
    with _narrow(laboratory.balancer, scene.client, "eth0"):
        expect_download(laboratory, laboratory.client, _FILE, scene.vip, scene.host(_NEAR))
    assert learned(server) == {scene.server_learns}
    assert _too_long(run) > before


def test_a_client_learns_of_our_link_to_the_server(laboratory: Laboratory, run: Run, scene: _Scene) -> None:
    before = _too_long(run)
    forget(laboratory.client, laboratory.servers[0].namespace)
    with _narrow(laboratory.balancer, scene.server, "eth1"):
        expect_upload(laboratory, laboratory.servers[0], _FILE, scene.vip, scene.host(_NEAR))
    assert learned(laboratory.client) == {scene.client_learns}
    assert _too_long(run) > before


def test_a_client_that_lets_its_packets_be_fragmented_gets_through(laboratory: Laboratory, run: Run) -> None:
    before = run.metrics()
    forget(laboratory.client)
    laboratory.client.sysctl("net.ipv4.ip_no_pmtu_disc=1")
    try:
        with _narrow(laboratory.balancer, 4, "eth1"):
            expect_upload(laboratory, laboratory.servers[0], "1M", VIP, "near4.example")
    finally:
        laboratory.client.sysctl("net.ipv4.ip_no_pmtu_disc=0")
    assert learned(laboratory.client) == set()
    after = run.metrics()
    assert after.total("l7lb_punts_total", reason="mtu") > before.total("l7lb_punts_total", reason="mtu")
    assert after.total("l7lb_icmp_errors_total") == before.total("l7lb_icmp_errors_total")


def _too_long(run: Run) -> float:
    return run.metrics().total("l7lb_icmp_errors_total", kind="too_long")


@contextmanager
def _narrow(balancer: Namespace, version: int, interface: str) -> Iterator[None]:
    """Let what is forwarded out of an interface be no longer than MTU."""
    networks = {"eth0": ("10.1.0.0/24", "2001:db8:1::/64"), "eth1": ("10.2.0.0/24", "2001:db8:2::/64")}
    network = networks[interface][version == 6]
    way = f"route replace {network} dev {interface} proto kernel" + (" metric 256" if version == 6 else "")
    balancer.ip([f"{way} mtu lock {MTU}"])
    try:
        yield
    finally:
        balancer.ip([way])
