"""Fixtures: a network namespace with pairs of interfaces."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.unit.ebpf.hosts import Host

PAIRS = {"near": "far", "left": "left-far", "right": "right-far"}


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with the pairs of interfaces PAIRS, all of them ready to send."""
    if os.geteuid():
        pytest.skip("network namespaces and packet sockets need root")
    host = Host()
    host.shell("sysctl -q net.ipv6.conf.default.disable_ipv6=1")
    for name, peer in PAIRS.items():
        host.shell(f"ip link add {name} type veth peer name {peer}", f"ip link set {name} up", f"ip link set {peer} up")
    for name in (*PAIRS, *PAIRS.values()):
        _await_carrier(host, name)
    yield host
    host.close()


def _await_carrier(host: Host, name: str) -> None:
    """Until the kernel has seen the carrier, it drops what is sent."""
    end = time.monotonic() + 10
    while "qdisc noqueue state UP" not in (shown := host.shell(f"ip link show {name}")):
        assert time.monotonic() < end, shown
        time.sleep(0.01)
