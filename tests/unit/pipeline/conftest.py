"""Every test of what all switches have in common runs over every control protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.bmv2.switches import P4RuntimeSwitch
from tests.unit.pipeline.switches import MakeSwitch, Switch
from tests.unit.tofino.switches import BfrtSwitch


@pytest.fixture(params=[BfrtSwitch, P4RuntimeSwitch], ids=["bfrt", "p4runtime"])
def make_switch(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSwitch:
    """Makes switches that speak the protocol under test."""
    kind: type[Switch] = request.param

    def make(*, connections: int = 64, overrides: int = 32, digest_bits: int = 32, without: str = "") -> Switch:
        program = kind.info(connections=connections, overrides=overrides, digest_bits=digest_bits, without=without)
        return kind(tmp_path, program)

    return make
