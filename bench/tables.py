"""What the eBPF fast path's table of splices costs user space: installs, moved pivots, removals, the sweep.

    .venv/bin/python -m bench.tables [--splices N]

The table is in memory that no program looks into, so that this needs no root; writing to a map's memory is the same.
All figures are CPU time of this process. What a packet costs, bench/million/kernel.py says.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from fastpath.ebpf import layout
from fastpath.ebpf.hashing import SECRETS, TupleHash
from fastpath.ebpf.index import BUCKET
from fastpath.ebpf.paths import Paths
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.ebpf.sizes import Sizes
from fastpath.ebpf.splices import Splices
from fastpath.ebpf.sweep import Sweep
from fastpath.records import Flow, Splice
from slowpath.wire.endpoint import Endpoint

_VIP = Endpoint.parse("10.1.0.100:80")
_SERVERS = [Endpoint(bytes((10, 2, 0, host)), 8080) for host in range(1, 17)]
_SAMPLE = 65536
"""Splices that each figure is of."""
_BATCHES = (1, 64, 1024)
_PORTS = 32768
"""Of a client."""


def table(capacity: int) -> tuple[Splices, int]:
    """An empty table, and its size in bytes."""
    sizes = Sizes(capacity)
    hashing = TupleHash([int.from_bytes(os.urandom(8), "little") for _ in range(SECRETS)], sizes.buckets)
    records = memoryview(bytearray(sizes.records * layout.RECORD_BYTES))
    slots = memoryview(bytearray(sizes.buckets * BUCKET * 4))
    paths = Paths(hashing, lambda number, value: None, lambda number: None)
    return Splices(sizes, records, slots, hashing, paths), len(records) + len(slots)


def splices(first: int, count: int) -> list[Splice]:
    """So many different ones."""
    made = []
    for number in range(first, first + count):
        client = Endpoint((0x0A01_0000 + number // _PORTS).to_bytes(4, "big"), 1024 + number % _PORTS)
        made.append(Splice(Flow(client, _VIP), _SERVERS[number % len(_SERVERS)], 7, client, delta=number, pivot=1))
    return made


def per_second(count: int, batch: int, step: Callable[[slice], None]) -> float:
    """How many of `count` a second, in steps of `batch`."""
    began = time.process_time()
    for start in range(0, count, batch):
        step(slice(start, start + batch))
    return count / (time.process_time() - began)


def measure(into: Splices, sample: Sequence[Splice], batch: int, now: int) -> list[float]:
    """Installs, moved pivots and removals a second."""
    moved, flows = [replace(one, pivot=2) for one in sample], [one.flow for one in sample]
    return [
        per_second(len(sample), batch, lambda part: into.install(sample[part], now)),
        per_second(len(sample), batch, lambda part: into.update(moved[part], now)),
        per_second(len(sample), batch, lambda part: into.remove(flows[part], now)),
    ]


def main() -> None:
    """Print the figures of a table that is empty, and of one that is nearly full."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splices", type=int, default=1_048_576, help="the table's capacity")
    capacity = max(parser.parse_args().splices, 2 * _SAMPLE)
    into, size = table(capacity)
    print(f"{capacity} splices: {size / capacity:.1f} bytes of maps for each")
    gc.disable()
    sample, now = splices(0, _SAMPLE), time.monotonic_ns()
    print(f"{'in the table':>14} {'batch':>6} {'installs/s':>12} {'pivots/s':>12} {'removals/s':>12}")
    for there in (0, capacity - _SAMPLE):
        for start in range(len(into), there, _SAMPLE):
            into.install(splices(_SAMPLE + start, min(_SAMPLE, there - start)), now)
        for batch in _BATCHES:
            now += GRACE
            print(f"{there:>14} {batch:>6}", *(f"{rate:>12,.0f}" for rate in measure(into, sample, batch, now)))
    sweep = Sweep(into, 1e6, lambda batch: None)
    turns = []
    for numbers in sweep.slices():
        began = time.process_time()
        sweep.look(numbers)
        turns.append(1e3 * (time.process_time() - began))
    print(f"sweep: {sum(turns):.0f} ms in {len(turns)} turns, the longest one {max(turns):.1f} ms")


if __name__ == "__main__":
    main()
