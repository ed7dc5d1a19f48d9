"""The bad wire does what its tally says: the TCPs at its ends notice each kind of fault, on the direct path."""

from __future__ import annotations

import pytest

from deploy.laboratory import Laboratory
from tests.faults.wire import BadWire

_CHANCE = 0.02


@pytest.mark.parametrize(
    ("fault", "tallied", "noticed"),
    [
        ("lose", "lost", "TcpExtTCPOFOQueue"),
        ("duplicate", "duplicated", "TcpExtTCPDSACKOldSent"),
        ("reorder", "reordered", "TcpExtTCPOFOQueue"),
        ("corrupt", "corrupted", "TcpInCsumErrors"),
    ],
)
def test_fault(laboratory: Laboratory, bad_wire: BadWire, fault: str, tallied: str, noticed: str) -> None:
    server = laboratory.servers[0]
    bad_wire.set(server.name, **{fault: _CHANCE})
    before = laboratory.client.counter(noticed)
    laboratory.client.run(["curl", "-sSf", "-m", "20", "-o", "/dev/null", f"http://{server.direct}/10M"])
    tally = bad_wire.tally(server.name)
    happened = getattr(tally, tallied)
    assert 0.5 * _CHANCE < happened / tally.packets < 2 * _CHANCE, tally
    assert sum((tally.lost, tally.duplicated, tally.reordered, tally.corrupted)) == happened
    assert laboratory.client.counter(noticed) > before
