"""The control plane of the P4 program with a million splices: ledger, digests, claims, overrides and programming.

It runs as it does beside a switch, on a Driver that accepts every write and forgets it. So the times are those of our
bookkeeping alone; what the protocol to the switch adds, bench.installs measures.
"""

from __future__ import annotations

import statistics
import sys
from typing import cast

from bench.million import collisions, section
from bench.million.measuring import Span, Stalls, remove_all, resident, tell_stall
from bench.million.paper import PaperSwitch, Silence
from bench.million.population import CLIENTS, VIP, adjacent, batches, checkpoints, scattered, splices
from bench.million.results import Findings
from bench.silent_link import SilentLink
from bfrt import RegisterTable, Session
from fastpath import frame
from fastpath.frame import Punt
from fastpath.interface import Idle
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.rows import CONNECTIONS
from fastpath.records import Listener, NextHop, Reason, Server
from fastpath.switch.network import Network, Port, default_mac
from fastpath.tofino.sweep import Sweep
from p4_tofino import DIRECTORY, TOFINO
from p4model.program import compile_program
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

BATCH = 1024
_ROUNDS = 5
_SEEDS = 8
"""Populations whose digests alone are counted."""
_NEWCOMERS = 256
"""Clients whose digests are chosen to be those of spliced connections."""
_AT_ONCE = 1e-9
"""Seconds after which a splice is idle, for a sweep that is to find them all so."""
_GROUP = 1
"""Of all VIPs and servers here: the first number that there is."""

_SERVERS = [Server(number, Endpoint(bytes((10, 2, 0, 11 + number)), 80)) for number in range(8)]
_PORTS = (Port(0, default_mac(0)), Port(1, default_mac(1)))
_ROUTES = [
    NextHop((bytes((10, 2, 0, 0)), 16), 1, default_mac(1), default_mac(2)),
    NextHop(CLIENTS, 0, default_mac(0), default_mac(3)),
]


async def measure(count: int) -> Findings:
    """All figures for `count` splices."""
    found = Findings("The bookkeeping of a switch", __doc__ or "")
    driver, link = PaperSwitch(compile_program(TOFINO, include=[DIRECTORY]).info), SilentLink()
    fastpath = await PipelineFastPath.begin(driver, link, Network(_PORTS))
    await fastpath.configure([Listener(VIP)], _SERVERS, _ROUTES)
    await fastpath.settled()
    before = resident()
    async with Stalls() as stalls:
        await _install(fastpath, count, found)
        found.add("memory per splice", (resident() - before) / count, "bytes", note="resident, with its Splice")
        _judge(fastpath, driver, count, found)
        stalls.take()
        await _claim(fastpath, driver, link, found)
        await _sweep(driver, found, stalls)
        await _reconfigure(fastpath, found, stalls)
        await _restart(fastpath, driver, found, stalls)
        await _remove(fastpath, count, found, stalls)
    await fastpath.close()
    return found


async def _install(fastpath: PipelineFastPath, count: int, found: Findings) -> None:
    """Fill the tables; at every checkpoint the last batch goes in and out a few times."""
    memory, before = found.curve("memory per connection", "bytes", "switch: ledger"), resident()
    install = found.curve("install", "us of CPU time per splice", "switch: bookkeeping")
    remove = found.curve("remove", "us of CPU time per splice", "switch: bookkeeping")
    total, there = Span(), 0
    for checkpoint in checkpoints(count):
        for numbers in batches(range(there, max(checkpoint - BATCH, there)), BATCH):
            batch = splices(numbers, _SERVERS)
            with total:
                await fastpath.install(batch)
            there = numbers[-1] + 1
        batch = splices(range(there, checkpoint), _SERVERS)
        spent: list[tuple[float, float]] = []
        for _ in range(_ROUNDS):
            with Span() as into:
                await fastpath.install(batch)
            with Span() as out:
                await fastpath.remove([splice.flow for splice in batch])
            spent.append((into.cpu, out.cpu))
        with total:
            await fastpath.install(batch)
        install.add(checkpoint, statistics.median(each[0] for each in spent) / len(batch) * 1e6)
        remove.add(checkpoint, statistics.median(each[1] for each in spent) / len(batch) * 1e6)
        there = checkpoint
        del batch
        if checkpoint >= _LEAST_MEMORY:
            memory.add(checkpoint, (resident() - before) / checkpoint)
    found.add("installs per second of CPU time", count / total.cpu, "1/s", wanted=">= 100,000")
    found.add("installs per second by the clock", count / total.wall, "1/s")
    found.add("longest install of a batch of 1,024", total.longest * 1e3, "ms of CPU time")


_MANY = 10
"""Collisions from which on their number is nearly normally distributed."""
_LEAST_MEMORY = 16_384
"""Below as many splices, pages say little."""


def _judge(fastpath: PipelineFastPath, driver: PaperSwitch, count: int, found: Findings) -> None:
    """Collisions against what theory says."""
    bits = driver.key_width(CONNECTIONS)
    theory = collisions.at_random(count, bits)
    seen = fastpath.statistics.overrides // 2
    told = [collisions.observed((scattered(n, seed) for n in range(count)), _GROUP, bits) for seed in range(1, _SEEDS)]
    found.add("splices that found their digest taken", seen, wanted=f"{theory.expected:.1f} +- {theory.deviation:.1f}")
    found.add("the same, standard deviations from theory (z)", theory.z(seen), wanted="within +- 3")
    mean = statistics.fmean([seen, *told])
    found.add(
        f"mean of {_SEEDS} populations", mean, wanted=f"{theory.expected:.1f} +- {theory.deviation / _SEEDS**0.5:.1f}"
    )
    if theory.expected >= _MANY:
        spread = statistics.variance([seen, *told]) / theory.deviation**2
        found.add("their variance over that of theory", spread, wanted="0.2 to 2.3", note="95 % of chi-square / 7")
    block = min(count.bit_length() - 1, 20)
    found.add(
        f"collisions of 2^{block} adjacent clients",
        collisions.observed((adjacent(n) for n in range(1 << block)), _GROUP, bits),
        wanted=f"{collisions.of_block(adjacent, block, _GROUP, bits)} exactly",
        note="64 addresses, 16,384 ports of each: a CRC is linear",
    )


async def _claim(fastpath: PipelineFastPath, driver: PaperSwitch, link: SilentLink, found: Findings) -> None:
    """SYNs of new clients, each with the digest of a connection that lives: the record has to get out of its way."""
    changes = collisions.twins(_NEWCOMERS, _GROUP, driver.key_width(CONNECTIONS))
    clients = [_changed(scattered(number), change) for number, change in enumerate(changes)]
    collided, withheld = fastpath.counters().collisions, fastpath.statistics.punts_withheld
    events, seen = fastpath.events(), 0
    with Span() as span:
        link.deliver(_syn(client) for client in clients)
        while seen < len(clients):
            seen += len((await anext(events)).punts)
    moved = fastpath.counters().collisions - collided
    found.add("records moved out of a new client's way", moved, wanted=f"{len(clients)}")
    found.add("new clients that had to wait", fastpath.statistics.punts_withheld - withheld, wanted="0")
    found.add("CPU time of such a move", span.cpu / len(clients) * 1e6, "us")


async def _sweep(driver: PaperSwitch, found: Findings, stalls: Stalls) -> None:
    """A sweep that finds every splice idle: no bit of `seen` is ever set here."""
    reports = 0

    def told(idle: list[Idle]) -> None:
        nonlocal reports
        reports += len(idle)

    silence = Silence(driver.seen)
    sweep = Sweep(cast(Session, silence), cast(RegisterTable, silence), driver.ledger, _AT_ONCE, told)
    stalls.take()
    with Span() as span:
        await sweep.sweep()
    found.add("idle splices reported by one sweep", reports, wanted=f"{len(driver.ledger):,}")
    found.add("CPU time of that sweep", span.cpu, "s")
    await tell_stall("a sweep", found, stalls)


async def _reconfigure(fastpath: PipelineFastPath, found: Findings, stalls: Stalls) -> None:
    """One server more."""
    stalls.take()
    another = Server(len(_SERVERS), Endpoint(bytes((10, 2, 0, 99)), 80))
    with Span() as span:
        await fastpath.configure([Listener(VIP)], [*_SERVERS, another], _ROUTES)
    found.add("CPU time of a new server's configuration", span.cpu * 1e3, "ms")
    await tell_stall("a configuration", found, stalls)


async def _restart(fastpath: PipelineFastPath, driver: PaperSwitch, found: Findings, stalls: Stalls) -> None:
    """The switch comes back with empty tables."""
    stalls.take()
    written = driver.written
    with Span() as span:
        await driver.come_back()
        await fastpath.settled()
    found.add("entries written after a restart of the switch", driver.written - written)
    found.add("CPU time until all splices are back", span.cpu, "s")
    await tell_stall("reconciliation", found, stalls)


async def _remove(fastpath: PipelineFastPath, count: int, found: Findings, stalls: Stalls) -> None:
    stalls.take()
    total = await remove_all(fastpath, count, BATCH)
    found.add("removals per second of CPU time", count / total.cpu, "1/s", wanted=">= 100,000")
    found.add(
        "splices and overrides left", sum(1 for _ in fastpath.splices()) + fastpath.statistics.overrides, wanted="0"
    )


def _changed(client: Endpoint, change: tuple[int, int]) -> Endpoint:
    address, port = change
    return Endpoint((int.from_bytes(client.address, "big") ^ address).to_bytes(4, "big"), client.port ^ port)


def _syn(client: Endpoint) -> bytes:
    """A client's SYN as the switch punts it."""
    packet = tcp.build(Segment(client, VIP, 1, 0, tcp.SYN, 65535, Options(mss=1460)))
    injected = frame.encode(packet, frame.Action.EMIT, port=0)
    # What tells a punt from an injected frame is the number in the place of the action.
    raw = Punt(Reason.SYN, 0, injected).reinjected(frame.Action.TRANSLATE)
    code = frame.OFFLOAD_LENGTH + 1  # of the CPU header: the reason, where an injected frame has its action
    return raw[:code] + bytes((Reason.SYN,)) + raw[code + 1 :]


if __name__ == "__main__":
    sys.exit(section.main(measure))
