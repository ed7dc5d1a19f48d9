"""The bookkeeping's benchmark at its smallest: what it counts has to be right at any size."""

from __future__ import annotations

import asyncio

from bench.million import bookkeeping

COUNT = 2048


def test_it_counts_what_it_should() -> None:
    """Every splice is there, reported when idle, written again and removed."""
    found = asyncio.run(bookkeeping.measure(COUNT))
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["splices that found their digest taken"] == 0
    assert figures["collisions of 2^11 adjacent clients"] == 0
    assert figures["records moved out of a new client's way"] == 256
    assert figures["new clients that had to wait"] == 0
    assert figures["idle splices reported by one sweep"] == COUNT
    # The records that were moved have two entries; those that had none, and all that is around them, come on top.
    assert figures["entries written after a restart of the switch"] >= COUNT + 256
    assert figures["splices and overrides left"] == 0
    assert [curve.connections for curve in found.curves if curve.plot == "install"] == [[1024, 2048]]
