"""Linux TCP through a splice, with its super-packets and unfinished checksums, window scale, SACK and timestamps."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from dataclasses import dataclass

import pytest
import uvloop

from fastpath.ebpf import EbpfFastPath
from fastpath.interface import Closed
from fastpath.records import Counters, Direction, Reason
from tests.unit.ebpf.hosts import Laboratory, unique
from tests.unit.ebpf.slow_path import SERVER, SERVER_ID, SNAT, VIP, SlowPath

MEGABYTES = 16
UPLOAD = os.urandom(1 << 20) * MEGABYTES
DOWNLOAD = os.urandom(1 << 20) * MEGABYTES
HEADERS = 52
"""Bytes of IPv4 and TCP headers with timestamps."""
FULL_SIZE = 1500
PATIENCE = 60


@dataclass
class Exchange:
    """What a spliced connection came to."""

    slow_path: SlowPath
    counters: Counters
    closed: list[Closed]
    peer: tuple[str, int]
    """Whom the server took for its client."""


def serve(listener: socket.socket) -> tuple[bytes, tuple[str, int]]:
    """Take a whole upload, then send the download; returns the upload's digest."""
    connection, peer = listener.accept()
    digest = hashlib.sha256()
    with connection:
        while data := connection.recv(1 << 20):
            digest.update(data)
        connection.sendall(DOWNLOAD)
    return digest.digest(), peer


def fetch() -> bytes:
    """Upload, close that side, then download; returns the download's digest."""
    digest = hashlib.sha256()
    with socket.create_connection((socket.inet_ntoa(VIP.address), VIP.port), timeout=PATIENCE) as connection:
        connection.sendall(UPLOAD)
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(1 << 20):
            digest.update(data)
    return digest.digest()


async def exchange(laboratory: Laboratory, *, snat: bool = False, pivot: bool = False) -> Exchange:
    """Run one connection through a splice, up to the report of its end."""
    listener = laboratory.server.run(_listen)
    fastpath = await EbpfFastPath.open(laboratory.interfaces, name=unique())
    try:
        slow_path = SlowPath(fastpath, snat=snat, pivot=pivot)
        await slow_path.configure()
        served = asyncio.wrap_future(laboratory.server.submit(lambda: serve(listener)))
        fetched = asyncio.wrap_future(laboratory.client.submit(fetch))
        closed: list[Closed] = []
        async for batch in fastpath.events():
            await slow_path.handle(batch)
            closed += batch.closed
            if closed:
                break
        uploaded, peer = await served
        assert uploaded == hashlib.sha256(UPLOAD).digest()
        assert await fetched == hashlib.sha256(DOWNLOAD).digest()
        assert list(fastpath.splices()) == list(slow_path.splices.values())
        return Exchange(slow_path, fastpath.counters(), closed, peer)
    finally:
        listener.close()
        await fastpath.close()


def test_both_ways_and_to_the_end(laboratory: Laboratory) -> None:
    done = laboratory.balancer.run(lambda: uvloop.run(exchange(laboratory)))
    (flow,) = done.slow_path.splices
    assert done.closed == [Closed(flow, reset=False)]
    assert [punt.reason for punt in done.slow_path.punts] == [Reason.SYN, Reason.SYN]
    assert not any(done.counters.drops.values())
    for direction, data in ((Direction.TO_SERVER, UPLOAD), (Direction.TO_CLIENT, DOWNLOAD)):
        traffic = done.counters.servers[SERVER_ID][direction]
        # A super-packet counts as the segments that it leaves the host as.
        assert traffic.packets >= len(data) // (FULL_SIZE - HEADERS)
        assert traffic.bytes >= len(data) + HEADERS * len(data) // (FULL_SIZE - HEADERS)
        assert traffic.bytes <= traffic.packets * FULL_SIZE


def test_snat(laboratory: Laboratory) -> None:
    laboratory.balancer.shell(f"ip addr add {socket.inet_ntoa(SNAT.address)}/32 dev lo")
    done = laboratory.balancer.run(lambda: uvloop.run(exchange(laboratory, snat=True)))
    assert done.peer == (socket.inet_ntoa(SNAT.address), SNAT.port)


def test_super_packets_pass_through_the_slow_path(laboratory: Laboratory) -> None:
    done = laboratory.balancer.run(lambda: uvloop.run(exchange(laboratory, pivot=True)))
    pivots = [punt for punt in done.slow_path.punts if punt.reason is Reason.PIVOT]
    assert sum(len(punt.packet) - HEADERS for punt in pivots) >= len(UPLOAD)
    assert max(len(punt.packet) for punt in pivots) > FULL_SIZE
    assert all(punt.checksum_known for punt in pivots)


@pytest.mark.parametrize("resets", ["client", "server"])
def test_a_reset_is_reported(laboratory: Laboratory, resets: str) -> None:
    async def scenario() -> list[Closed]:
        listener = laboratory.server.run(_listen)
        fastpath = await EbpfFastPath.open(laboratory.interfaces, name=unique())
        try:
            slow_path = SlowPath(fastpath)
            await slow_path.configure()
            ends = {
                "server": asyncio.wrap_future(laboratory.server.submit(lambda: listener.accept()[0])),
                "client": asyncio.wrap_future(laboratory.client.submit(_connect)),
            }
            done = asyncio.create_task(_reset(ends, resets))
            async for batch in fastpath.events():
                await slow_path.handle(batch)
                if batch.closed:
                    await done
                    return batch.closed
            raise AssertionError("the events ended")
        finally:
            listener.close()
            await fastpath.close()

    (closed,) = laboratory.balancer.run(lambda: uvloop.run(scenario()))
    assert closed.reset


def _listen() -> socket.socket:
    return socket.create_server((socket.inet_ntoa(SERVER.address), SERVER.port))


def _connect() -> socket.socket:
    return socket.create_connection((socket.inet_ntoa(VIP.address), VIP.port), timeout=PATIENCE)


async def _reset(ends: dict[str, asyncio.Future[socket.socket]], who: str) -> None:
    """Close one end so that it sends a RST."""
    sockets = {name: await end for name, end in ends.items()}
    linger = (1).to_bytes(4, "little") + bytes(4)
    sockets[who].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    for end in (sockets.pop(who), *sockets.values()):
        end.close()
