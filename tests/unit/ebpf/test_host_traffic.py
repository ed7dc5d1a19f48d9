"""What is not ours passes: the host's own connections, its pings, and what it routes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from fastpath.ebpf import EbpfFastPath
from fastpath.records import Listener
from tests.unit.ebpf.hosts import Host, Laboratory, unique
from tests.unit.ebpf.slow_path import VIP

PATIENCE = 20


async def with_fastpath(laboratory: Laboratory, traffic: Callable[[], object]) -> None:
    """Have `traffic` while a fast path with a VIP is there, and assert that it saw nothing of it."""
    fastpath = await EbpfFastPath.open(laboratory.interfaces, name=unique())
    try:
        await fastpath.configure([Listener(VIP)], [], [])
        await asyncio.get_running_loop().run_in_executor(None, traffic)
        counters = fastpath.counters()
        assert not any(counters.punts.values())
        assert not any(counters.drops.values())
    finally:
        await fastpath.close()


def exchanged(client: Host, listener: socket.socket) -> None:
    """Send a megabyte to `listener` and back."""
    data = bytes(range(256)) * 4096
    with client.run(lambda: socket.create_connection(listener.getsockname(), timeout=PATIENCE)) as near:
        far, _ = listener.accept()
        with far:
            for sender, receiver in ((near, far), (far, near)):
                sender.settimeout(PATIENCE)
                receiver.settimeout(PATIENCE)
                pending = client.submit(lambda sender=sender: sender.sendall(data))  # type: ignore[misc]
                received = b""
                while len(received) < len(data):
                    received += receiver.recv(1 << 16)
                pending.result()
                assert received == data


@pytest.mark.parametrize("address", ["10.1.0.1", "10.1.0.100"])
def test_connections_to_the_host_itself(laboratory: Laboratory, address: str) -> None:
    """Also to a VIP's address, on a port that is not a listener's."""
    with laboratory.balancer.run(lambda: socket.create_server((address, 2222))) as listener:
        traffic = lambda: exchanged(laboratory.client, listener)  # noqa: E731
        laboratory.balancer.run(lambda: uvloop.run(with_fastpath(laboratory, traffic)))


def test_connections_that_the_host_routes(laboratory: Laboratory) -> None:
    laboratory.balancer.shell("sysctl -q net.ipv4.ip_forward=1")
    with laboratory.server.run(lambda: socket.create_server(("10.2.0.2", 8080))) as listener:
        traffic = lambda: exchanged(laboratory.client, listener)  # noqa: E731
        laboratory.balancer.run(lambda: uvloop.run(with_fastpath(laboratory, traffic)))


def test_pings_of_the_vip(laboratory: Laboratory) -> None:
    """Fragmented ones, too: only fragments of TCP are the slow path's."""
    traffic = lambda: laboratory.client.shell("ping -c 3 -i 0.1 -s 3000 10.1.0.100")  # noqa: E731
    laboratory.balancer.run(lambda: uvloop.run(with_fastpath(laboratory, traffic)))
