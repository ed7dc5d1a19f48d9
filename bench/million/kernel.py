"""The eBPF fast path with a million splices: its calls, its memory, its packets, and its aging.

In a network namespace of this process's own, and through the contract alone (fastpath/interface.py). The packets are
run by BPF_PROG_TEST_RUN; the time that it tells is that of the program, without driver and network stack.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import statistics
import sys
import time
from random import Random

from bench.million import section
from bench.million.measuring import Span, Stalls, remove_all, resident, tell_stall
from bench.million.population import CLIENTS, VIP, batches, checkpoints, scattered, splices
from bench.million.program_run import REDIRECT, ProgramRun, map_memory
from bench.million.results import Findings
from deploy.laboratory.namespace import sh
from fastpath.ebpf import EbpfFastPath
from fastpath.records import Listener, Server, Splice
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

BATCH = 1024
_ROUNDS = 5
_PACKETS = 4096
_HOT = 16
"""Connections whose packets come again and again: their records stay in the CPU's cache."""
_LEAST_MEMORY = 16_384
"""Below as many splices, pages say little."""
_SMALLEST = 1024
"""Splices of the instance that shows what the maps take that do not grow."""
_CLONE_NEWNET = 0x4000_0000
_OUR_MAC, _ANY_MAC = bytes((2, 0, 0, 0, 0, 3)), bytes((2, 0, 0, 0, 0, 1))
_INTERFACES = ("clients", "servers")
_GATEWAYS = {"clients": "10.1.0.254", "servers": "10.2.0.254"}
_PROGRAM = "l7lb_port"
_SERVERS = [Server(number, Endpoint(bytes((10, 2, 0, 11 + number)), 80)) for number in range(8)]


async def measure(count: int) -> Findings:
    """All figures for `count` splices."""
    found = Findings("eBPF", __doc__ or "")
    _isolate()
    small = await _open(_SMALLEST, 600.0)
    fixed = map_memory()
    await small.close()
    await _work(count, found)
    await _age(count, fixed, found)
    return found


async def _work(count: int, found: Findings) -> None:
    # What is removed may keep its room for a moment, and the rounds remove more than stays.
    fastpath = await _open(count + len(checkpoints(count)) * _ROUNDS * BATCH, 3600.0)
    before = resident()
    await _install(fastpath, count, found)
    found.add("other memory per splice", (resident() - before) / count, "bytes", note="resident, with its Splice")
    await _move(fastpath, count, found)
    await _look_back(fastpath, found)
    await _remove(fastpath, count, found)
    await fastpath.close()


async def _install(fastpath: EbpfFastPath, count: int, found: Findings) -> None:
    """Fill the table; at every checkpoint the last batch goes in and out a few times, and packets pass."""
    install = found.curve("install", "us of CPU time per splice", "eBPF")
    remove = found.curve("remove", "us of CPU time per splice", "eBPF")
    update = found.curve("update of a pivot", "us of CPU time per splice", "eBPF")
    cold = found.curve("packet", "ns in the program", "connections at random")
    hot = found.curve("packet", "ns in the program", f"{_HOT} connections")
    memory, before = found.curve("memory per connection", "bytes", "eBPF: process"), resident()
    program = ProgramRun(_PROGRAM, socket.if_nametoindex("clients"))
    total, there = Span(), 0
    for checkpoint in checkpoints(count):
        for numbers in batches(range(there, max(checkpoint - BATCH, there)), BATCH):
            batch = splices(numbers, _SERVERS, pivot=True)
            with total:
                await fastpath.install(batch)
            there = numbers[-1] + 1
        batch = splices(range(there, checkpoint), _SERVERS, pivot=True)
        rounds = [await _in_and_out(fastpath, batch) for _ in range(_ROUNDS)]
        with total:
            await fastpath.install(batch)
        for curve, spent in zip((install, update, remove), zip(*rounds, strict=True), strict=True):
            curve.add(checkpoint, statistics.median(spent) / len(batch) * 1e6)
        there = checkpoint
        del batch
        cold.add(checkpoint, _packets(program, [*range(checkpoint)]))
        hot.add(checkpoint, _packets(program, [*range(0, checkpoint, max(checkpoint // _HOT, 1))][:_HOT]))
        if checkpoint >= _LEAST_MEMORY:
            memory.add(checkpoint, (resident() - before) / checkpoint)
    found.add("installs per second of CPU time", count / total.cpu, "1/s", wanted=">= 100,000")
    found.add("installs per second by the clock", count / total.wall, "1/s", wanted=">= 100,000")
    found.add("longest install of a batch of 1,024", total.longest * 1e3, "ms of CPU time")


async def _in_and_out(fastpath: EbpfFastPath, batch: list[Splice]) -> tuple[float, float, float]:
    """Seconds of CPU time to install, update and remove a batch."""
    moved = [_at(splice, 1) for splice in batch]
    with Span() as into:
        await fastpath.install(batch)
    with Span() as along:
        await fastpath.update(moved)
    with Span() as out:
        await fastpath.remove([splice.flow for splice in batch])
    return into.cpu, along.cpu, out.cpu


def _packets(program: ProgramRun, numbers: list[int]) -> float:
    """The median time of packets of these clients, in random order, in nanoseconds."""
    order = Random(1)
    spent = []
    for _ in range(_PACKETS):
        result, nanoseconds = program(_ack(scattered(order.choice(numbers))))
        if result != REDIRECT:
            raise RuntimeError(f"the program returned {result} for a packet of a splice")
        spent.append(nanoseconds)
    return statistics.median(spent)


async def _move(fastpath: EbpfFastPath, count: int, found: Findings) -> None:
    """The next request of every connection."""
    total = Span()
    for numbers in batches(range(count), BATCH):
        moved = [_at(splice, 500) for splice in splices(numbers, _SERVERS, pivot=True)]
        with total:
            await fastpath.update(moved)
    found.add("pivots moved per second of CPU time", count / total.cpu, "1/s", wanted=">= 100,000")
    found.add("longest update of a batch of 1,024", total.longest * 1e3, "ms of CPU time")


async def _look_back(fastpath: EbpfFastPath, found: Findings) -> None:
    """Every record read back, as after a restart."""
    with Span() as span:
        there = sum(1 for _ in fastpath.splices())
    found.add("splices read back", there)
    found.add("CPU time for that", span.cpu, "s")
    with Span() as span:
        fastpath.counters()
    found.add("CPU time of a look at the counters", span.cpu * 1e3, "ms")


async def _remove(fastpath: EbpfFastPath, count: int, found: Findings) -> None:
    total = await remove_all(fastpath, count, BATCH)
    found.add("removals per second of CPU time", count / total.cpu, "1/s", wanted=">= 100,000")
    found.add("longest removal of a batch of 1,024", total.longest * 1e3, "ms of CPU time")


async def _age(count: int, fixed: int, found: Findings) -> None:
    """Every splice stays idle; what is reported is removed, as the slow path does."""
    idle_after = max(count / 50_000, 1.0)
    fastpath = await _open(count, idle_after)
    events = fastpath.events()
    async with Stalls() as stalls:
        for numbers in batches(range(count), BATCH):
            await fastpath.install(splices(numbers, _SERVERS))
            # The sweep has its turn.
            await asyncio.sleep(0)
        due = time.monotonic() + idle_after
        found.add("map memory per splice of a full table", (map_memory() - fixed) / count, "bytes", wanted="<= 128")
        reports, spent = 0, Span()
        await tell_stall("a sweep beside installs", found, stalls)
        while reports < count:
            flows = [idle.flow for idle in (await anext(events)).idle]
            reports += len(flows)
            with spent:
                await fastpath.remove(flows)
        found.add("all reported idle and removed after they were", max(time.monotonic() - due, 0.0), "s by the clock")
        await tell_stall("aging", found, stalls)
    await fastpath.close()


async def _open(capacity: int, idle_after: float) -> EbpfFastPath:
    name = f"m{os.getpid()}"
    fastpath = await EbpfFastPath.open(_INTERFACES, name=name, capacity=max(capacity, 1024), idle_after=idle_after)
    await fastpath.configure([Listener(VIP)], _SERVERS, ())
    return fastpath


def _isolate() -> None:
    """Take this process to a network namespace of its own, with an interface to clients and one to servers."""
    if ctypes.CDLL(None).unshare(_CLONE_NEWNET):
        raise PermissionError("a network namespace takes root")
    lines = ["link set lo up"]
    for index, (name, gateway) in enumerate(_GATEWAYS.items(), 1):
        lines += [
            f"link add {name} address {_OUR_MAC.hex(':')} type veth peer name {name}1",
            f"link set {name}1 up",
            f"link set {name} up",
            f"address add 10.{index}.0.1/24 dev {name}",
            f"neighbour add {gateway} lladdr 02:00:00:00:00:0{index} dev {name} nud permanent",
        ]
    network = f"{socket.inet_ntoa(CLIENTS[0])}/{CLIENTS[1]}"
    lines.append(f"route add {network} via {_GATEWAYS['clients']}")
    for server in _SERVERS:
        address = socket.inet_ntoa(server.endpoint.address)
        lines.append(f"neighbour add {address} lladdr 02:00:00:00:01:00 dev servers nud permanent")
    sh(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")


def _ack(client: Endpoint) -> bytes:
    """A client's ACK, as it arrives."""
    packet = tcp.build(Segment(client, VIP, 1, 1, tcp.ACK, 65535, Options()))
    return b"".join((_OUR_MAC, _ANY_MAC, b"\x08\x00", packet))


def _at(splice: Splice, further: int) -> Splice:
    """The splice with its pivot moved."""
    pivot = None if splice.pivot is None else splice.pivot + further & 0xFFFF_FFFF
    return Splice(splice.flow, splice.server, splice.server_id, splice.source, splice.delta, pivot=pivot)


if __name__ == "__main__":
    sys.exit(section.main(measure))
