"""Splices a second that the fast path of a switch installs, on one core together with the model's server.

Through BfRt into the TNA program's tables, and through P4Runtime into the v1model program's, which have no pipeline:
no packet is moved. Client and server share one process, pinned to one core, and talk gRPC over a UNIX socket. A second
is one of the core's time spent on this process, so that a busy machine measures the same as an idle one; the rate by
the clock on the wall is beside it. Exits with 1 if batches of 1,024 make less than 20,000 splices/s through BfRt, or
10,000 through P4Runtime.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import bfrt
import p4rt
from bench.silent_link import SilentLink
from fastpath.bmv2 import Bmv2FastPath
from fastpath.bmv2.driver import ENDED
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.records import Flow, Listener, NextHop, Server, Splice
from fastpath.switch.network import Network, Port, default_mac
from fastpath.tofino import TofinoFastPath
from p4_tofino import DIRECTORY, TOFINO, V1MODEL
from p4model import bfruntime, p4runtime
from p4model.device import Device, Pipeline, Result, Switch
from p4model.objects import ProgramInfo
from p4model.p4runtime.p4info import p4info
from p4model.program import compile_program
from p4model.state import DeviceState
from slowpath.wire.endpoint import Endpoint

BATCHES = (1, 64, 1024)
_VIP = Endpoint.parse("10.1.0.100:80")
_SERVERS = [Server(number, Endpoint(bytes((10, 2, 0, 2 + number)), 8080)) for number in range(8)]
_PORTS = (Port(0, default_mac(0)), Port(1, default_mac(1)))
_TO_SERVERS = NextHop((bytes((10, 2, 0, 0)), 16), 1, default_mac(1), default_mac(2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each batch size (default: 5)")
    parser.add_argument("--splices", type=int, default=16_384, help="splices in a measurement (default: 16384)")
    parser.add_argument("--control", choices=CONTROLS, help="one control protocol (default: all)")
    arguments = parser.parse_args()
    # Before there are threads: they inherit it.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    chosen = CONTROLS if arguments.control is None else {arguments.control: CONTROLS[arguments.control]}
    print("control    batch  splices/s of CPU time, least and most  by the wall clock")
    slow = False
    for name, control in chosen.items():
        figures = asyncio.run(measure(control, arguments.rounds, arguments.splices))
        for batch, rates in figures.items():
            core = [rate.core for rate in rates]
            wall = statistics.median(rate.wall for rate in rates)
            between = f"({min(core):,.0f} to {max(core):,.0f})"
            print(f"{name:9}  {batch:5}  {statistics.median(core):9,.0f}  {between:20}  {wall:9,.0f}")
        slow |= statistics.median(rate.core for rate in figures[BATCHES[-1]]) < control.required
    return int(slow)


@dataclass(frozen=True)
class Rate:
    """Splices a second of CPU time, and by the wall clock."""

    core: float
    wall: float


async def measure(control: Control, rounds: int, splices: int) -> dict[int, list[Rate]]:
    """Install and remove again; the rates of the installs by batch size."""
    figures: dict[int, list[Rate]] = {batch: [] for batch in BATCHES}
    with tempfile.TemporaryDirectory() as directory:
        async with control.open(f"unix:{directory}/switch") as fastpath:
            await fastpath.configure([Listener(_VIP)], _SERVERS, [_TO_SERVERS])
            for _ in range(rounds):
                for batch, rates in figures.items():
                    # A request for each: a sixteenth of them takes as long.
                    some = connections(splices if batch > 1 else splices // 16)
                    rates.append(await rate(fastpath, some, batch))
    return figures


@asynccontextmanager
async def through_bfrt(address: str) -> AsyncIterator[PipelineFastPath]:
    """A fast path on the TNA program."""
    device = Device(_Stub(compile_program(TOFINO, include=[DIRECTORY]).info))
    server = await bfruntime.serve(device, address)
    session = await bfrt.Session.open(address, "l7lb")
    fastpath = await TofinoFastPath.attach(session, SilentLink(), Network(_PORTS))
    yield fastpath
    await fastpath.close()
    await server.stop()


@asynccontextmanager
async def through_p4runtime(address: str) -> AsyncIterator[PipelineFastPath]:
    """A fast path on the v1model program."""
    info = compile_program(V1MODEL, include=[DIRECTORY]).info
    server = await p4runtime.serve(Switch(), address, compile_=lambda source: _Stub(info))
    pipeline = p4rt.Pipeline(p4info(info), b"stands for the program")
    session = await p4rt.Session.open(address, pipeline, digests=(ENDED,))
    fastpath = await Bmv2FastPath.attach(session, SilentLink(), Network(_PORTS))
    yield fastpath
    await fastpath.close()
    await server.stop()


@dataclass(frozen=True)
class Control:
    """A control protocol: how to begin, and the splices a second that it has to make."""

    open: Callable[[str], AbstractAsyncContextManager[PipelineFastPath]]
    required: int


CONTROLS = {"bfrt": Control(through_bfrt, 20_000), "p4runtime": Control(through_p4runtime, 10_000)}


async def rate(fastpath: PipelineFastPath, splices: list[Splice], batch: int) -> Rate:
    """Install `splices` and remove them again."""
    begun, spent = time.perf_counter(), time.process_time()
    for start in range(0, len(splices), batch):
        await fastpath.install(splices[start : start + batch])
    taken, spent = time.perf_counter() - begun, time.process_time() - spent
    for start in range(0, len(splices), BATCHES[-1]):
        await fastpath.remove([splice.flow for splice in splices[start : start + BATCHES[-1]]])
    return Rate(len(splices) / spent, len(splices) / taken)


def connections(count: int) -> list[Splice]:
    """Splices of as many clients."""
    clients = (Endpoint((0x0A800000 + number // 4).to_bytes(4, "big"), 40000 + number % 4) for number in range(count))
    return [
        Splice(Flow(client, _VIP), server.endpoint, server.id, client, delta=number)
        for number, client in enumerate(clients)
        for server in [_SERVERS[number % len(_SERVERS)]]
    ]


@dataclass(frozen=True)
class _Stub:
    """A program without a pipeline."""

    info: ProgramInfo

    def pipeline(self, state: DeviceState) -> Pipeline:
        return _NoPipeline()


class _NoPipeline:
    def process(self, port: int, frame: bytes) -> Result:
        raise AssertionError("no packet is moved")


if __name__ == "__main__":
    sys.exit(main())
