"""How a section is run: as a command of its own, in a process whose memory nothing else has touched."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.million import results
from bench.million.results import Findings

MILLION = 1 << 20

Measure = Callable[[int], Awaitable[Findings]]


def main(measure: Measure) -> int:
    """Measure, print the figures, and write them where the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--splices", type=int, default=MILLION, help=f"how many (default: {MILLION})")
    parser.add_argument("--output", type=Path, help="the file for the findings, as JSON")
    arguments = parser.parse_args()

    async def run() -> Findings:
        return await measure(arguments.splices)

    # What it has started ends with it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    found = asyncio.run(run())
    show(found)
    if arguments.output:
        results.save(found, arguments.output)
    return 0


def show(found: Findings) -> None:
    """Print the figures."""
    print(f"\n{found.title}")
    for figure in found.figures:
        wanted = f"   wanted: {figure.wanted}" if figure.wanted else ""
        print(f"  {figure.name:58} {figure.text:>12} {figure.unit}{wanted}")
    for curve in found.curves:
        points = "  ".join(f"{n}:{v:.3g}" for n, v in zip(curve.connections, curve.values, strict=True))
        print(f"  {curve.plot}, {curve.name} ({curve.unit}): {points}", flush=True)
