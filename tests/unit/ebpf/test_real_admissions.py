"""Linux TCP through connections that the program lets in: requests and answers, ends, ports used again, and loss."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import uvloop

from deploy.laboratory.namespace import Namespace
from fastpath.ebpf import EbpfFastPath
from fastpath.ebpf.pins import BPFFS
from fastpath.interface import Admitted, Batch, Closed
from fastpath.records import Admission, Flow, Listener, Offer, Reason, Server, SynCookies
from slowpath.wire.endpoint import Endpoint
from tests.faults.wire import BadWire
from tests.unit.ebpf.hosts import Host, Laboratory, unique
from tests.unit.ebpf.slow_path import SERVER, SERVER_ID, VIP

HEAD = b"GET / HTTP/1.1\r\nHost: l7lb.example\r\n\r\n"
ANSWER = os.urandom(100_000)
OFFER = Offer(mss=1460, window=64240, window_scale=7, sack=True, timestamps=True)
LABEL = 3
PATIENCE = 30


class Balancer:
    """A fast path with an admission, and nobody behind it."""

    def __init__(self, fastpath: EbpfFastPath) -> None:
        self.fastpath = fastpath
        self.admitted: list[Admitted] = []
        self.closed: list[Closed] = []
        self.reasons: list[Reason] = []
        self._changed = asyncio.Event()
        self._collector = asyncio.create_task(self._collect())

    @classmethod
    async def open(cls, laboratory: Laboratory, offer: Offer = OFFER) -> Balancer:
        fastpath = await EbpfFastPath.open(laboratory.interfaces, name=unique(), capacity=8192)
        await fastpath.configure([Listener(VIP, offer)], [Server(SERVER_ID, SERVER)], [])
        await fastpath.rotate(SynCookies((os.urandom(16), os.urandom(16)), 0))
        servers = ((SERVER, SERVER_ID),)
        await fastpath.set_admissions([Admission(VIP, HEAD, servers, False, LABEL, time.monotonic() + 600)])
        return cls(fastpath)

    @property
    def accepted(self) -> int:
        """Connections that were let in."""
        return self.fastpath.counters().admitted[LABEL]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what batches bring."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def close(self) -> None:
        await self.fastpath.close()
        await self._collector

    async def _collect(self) -> None:
        async for batch in self.fastpath.events():
            self._note(batch)

    def _note(self, batch: Batch) -> None:
        self.admitted += batch.admitted
        self.closed += batch.closed
        self.reasons += [punt.reason for punt in batch.punts]
        self._changed.set()


def balanced(laboratory: Laboratory, scenario: Callable[[Balancer], Awaitable[None]], offer: Offer = OFFER) -> None:
    """Run a scenario with a balancer."""

    async def run() -> None:
        balancer = await Balancer.open(laboratory, offer)
        try:
            await scenario(balancer)
        finally:
            await balancer.close()

    laboratory.balancer.run(lambda: uvloop.run(run()))


def submit(host: Host, function: Callable[[], object]) -> asyncio.Future[object]:
    submitted: Future[object] = host.submit(function)
    return asyncio.wrap_future(submitted)


def serve(listener: socket.socket, connections: int) -> None:
    """Answer one request on each connection, and close it."""
    for _ in range(connections):
        connection, _ = listener.accept()
        with connection:
            assert read(connection, len(HEAD)) == HEAD
            connection.sendall(ANSWER)


def read(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length and (more := connection.recv(length - len(data))):
        data += more
    return bytes(data)


def fetch(port: int = 0) -> None:
    """Get an answer, from a port of one's own choice perhaps."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.settimeout(PATIENCE)
        connection.bind(("10.1.0.2", port))
        connection.connect((socket.inet_ntoa(VIP.address), VIP.port))
        connection.sendall(HEAD)
        assert read(connection, len(ANSWER) + 1) == ANSWER


def listen() -> socket.socket:
    return socket.create_server((socket.inet_ntoa(SERVER.address), SERVER.port), backlog=512)


@pytest.mark.parametrize("timestamps", [True, False])
def test_connections_come_and_go(laboratory: Laboratory, timestamps: bool) -> None:
    count = 200
    laboratory.client.shell(f"sysctl -q net.ipv4.tcp_timestamps={int(timestamps)}")

    async def scenario(balancer: Balancer) -> None:
        with laboratory.server.run(listen) as listener:
            served = submit(laboratory.server, partial(serve, listener, count))
            for _ in range(count):
                await submit(laboratory.client, fetch)
            await served
        assert balancer.accepted == count
        assert balancer.reasons == []

    balanced(laboratory, scenario)


def test_a_port_is_used_again_at_once(laboratory: Laboratory) -> None:
    count = 50

    async def scenario(balancer: Balancer) -> None:
        with laboratory.server.run(listen) as listener:
            served = submit(laboratory.server, partial(serve, listener, count))
            for _ in range(count):
                await submit(laboratory.client, partial(fetch, 40000))
            await served
        assert balancer.accepted == count

    balanced(laboratory, scenario)


def test_one_that_lasts_is_handed_over_and_goes_on(laboratory: Laboratory) -> None:
    def talk(ends: list[socket.socket], sizes: range) -> None:
        for size in sizes:
            for speaker, hearer in (ends, ends[::-1]):
                speaker.sendall(ANSWER[:size])
                assert read(hearer, size) == ANSWER[:size]

    async def scenario(balancer: Balancer) -> None:
        with laboratory.server.run(listen) as listener:
            accepting = asyncio.wrap_future(laboratory.server.submit(listener.accept))
            client = laboratory.client.run(
                partial(socket.create_connection, (socket.inet_ntoa(VIP.address), VIP.port), PATIENCE)
            )
            client.sendall(HEAD)
            server = (await accepting)[0]
            assert read(server, len(HEAD)) == HEAD
            ends = [client, server]
            await asyncio.to_thread(talk, ends, range(1, 1000, 100))
            await balancer.until(lambda: bool(balancer.admitted))
            await asyncio.to_thread(talk, ends, range(1, 100_000, 10_000))
            flow = Flow(Endpoint.parse("{}:{}".format(*client.getsockname())), VIP)
            (splice,) = balancer.fastpath.splices()
            assert splice.flow == flow
            client.close()
            server.close()
            await balancer.until(lambda: bool(balancer.closed))
            assert balancer.closed == [Closed(flow, reset=False)]
        assert balancer.reasons == []

    balanced(laboratory, scenario)


class Wires:
    """The part of deploy.laboratory.namespace.Namespace that faults are made with."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, command: list[str]) -> str:
        return self._host.shell(" ".join(command))

    def ip(self, commands: list[str]) -> None:
        self._host.shell(*(f"ip {command}" for command in commands))


def test_faults_on_the_way_cost_time_alone(laboratory: Laboratory, tmp_path: Path) -> None:
    """A SYN for a server is never lost twice here: that one would be the slow path's."""
    count, at_once = 40, 4
    hosts = (laboratory.client, laboratory.server)
    for host in hosts:
        host.shell("ethtool -K eth0 tso off gso off gro off tx off rx off")

    async def scenario(balancer: Balancer) -> None:
        with laboratory.server.run(listen) as listener:
            served = [submit(laboratory.server, partial(serve, listener, count // at_once)) for _ in range(at_once)]
            for _ in range(count // at_once):
                await asyncio.gather(*(submit(laboratory.client, fetch) for _ in range(at_once)))
            await asyncio.gather(*served)
        assert balancer.accepted == count

    with ExitStack() as wires:
        for number, (host, faults) in enumerate(zip(hosts, ({"lose": 0.03, "corrupt": 0.01}, {}), strict=True)):
            wire = BadWire(cast(Namespace, Wires(host)), tmp_path, BPFFS / unique(f"-{number}"), seed=7)
            wires.callback(wire.close)
            wire.set("eth0", duplicate=0.05, reorder=0.05, **faults)
        balanced(laboratory, scenario)
