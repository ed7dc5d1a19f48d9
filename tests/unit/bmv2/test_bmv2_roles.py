"""More than one controller, and pipelines that are there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpath.bmv2 import Bmv2FastPath
from fastpath.errors import Unavailable
from fastpath.pipeline import fastpath as pipeline_fastpath
from tests.unit.bmv2.switches import P4RuntimeSwitch
from tests.unit.pipeline.program import v1model
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, SERVERS, splice
from tests.unit.pipeline.switches import NETWORK, SocketLink, run, running


def test_a_controller_that_loses_the_primary_role_gets_it_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        async with running(switch) as (_, fastpath, _link):
            await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
            await fastpath.install([splice(1)])
            before = switch.rows()
            rival = await Bmv2FastPath.attach(await switch.open(election_id=2), SocketLink(), NETWORK)
            await rival.configure([LISTENER], SERVERS, NEXT_HOPS)
            await rival.install([splice(2), splice(3)])
            with pytest.raises(Unavailable, match="another controller is primary, election id 2"):
                await fastpath.install([splice(4)])
            assert not fastpath.counters().reachable
            await fastpath.remove([splice(4).flow])
            assert len(switch.rows("connections")) == 2
            await rival.close()
            await switch.back(fastpath)
            assert fastpath.counters().reachable
            assert switch.rows() == before

    run(scenario())


def test_a_controller_that_is_not_primary_leaves_the_tables_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        async with running(switch) as (_, fastpath, _link):
            rival = await Bmv2FastPath.attach(await switch.open(election_id=2), SocketLink(), NETWORK)
            await rival.configure([LISTENER], SERVERS, NEXT_HOPS)
            await rival.install([splice(1)])
            before = switch.rows()
            await fastpath.close()
            assert switch.rows() == before
            await rival.close()

    run(scenario())


def test_open_says_who_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_fastpath, "CpuPort", lambda name: SocketLink())

    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        await switch.start()
        fastpath = await Bmv2FastPath.open(switch.address, switch.pipeline, "cpu0", NETWORK, election_id=5)
        message = rf"cannot drive device 0 of the switch at {switch.address}: .*election id 5: stop it"
        with pytest.raises(Unavailable, match=message):
            await Bmv2FastPath.open(switch.address, switch.pipeline, "cpu0", NETWORK)
        await fastpath.close()
        await switch.close()

    run(scenario())
