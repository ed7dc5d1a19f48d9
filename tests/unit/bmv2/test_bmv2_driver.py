"""What of the program and its tables is P4Runtime's own: pipelines, refusals, ports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from google.rpc import code_pb2

from fastpath.errors import Rejected, TableFull, Unavailable
from fastpath.pipeline.digest import digest
from fastpath.switch.network import Network, Port
from p4model.device import Device
from p4model.p4runtime import status
from p4model.state.errors import NoSpace, NotFound
from tests.unit.bmv2.switches import P4RuntimeSwitch
from tests.unit.pipeline.program import Program, v1model
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, SERVERS, SNAT, client, splice
from tests.unit.pipeline.switches import CLIENT_SIDE, run, running


def test_a_program_that_runs_already_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        await switch.prepare()
        device = switch.place.device
        async with running(switch):
            assert switch.place.device is device

    run(scenario())


def test_another_program_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        other = Program(v1model(connections=1), lambda state: None)
        switch.place.device = Device(other)
        async with running(switch) as (_, fastpath, _link):
            await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
            await fastpath.install([splice(1), splice(2)])
            assert len(switch.rows("connections")) == 2

    run(scenario())


def test_bmv2s_word_for_a_full_table_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(status._CODES, NoSpace, code_pb2.UNKNOWN)

    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        async with running(switch) as (_, fastpath, _link):
            await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
            switch.refuse("connections", {(digest(client(2), 1, 32),)})
            await fastpath.install([splice(1), splice(2)])
            assert len(switch.rows("overrides")) == 2
            await fastpath.remove([splice(1).flow, splice(2).flow])
            switch.refuse("overrides", None)
            with pytest.raises(TableFull):
                await fastpath.install([splice(3), splice(4, source=SNAT)])
            assert not switch.rows("connections", "overrides")

    run(scenario())


def test_the_same_word_for_a_change_is_no_want_of_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(status._CODES, NotFound, code_pb2.UNKNOWN)

    async def scenario() -> None:
        switch = P4RuntimeSwitch(tmp_path, v1model())
        async with running(switch) as (_, fastpath, _link):
            await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
            await fastpath.install([splice(1), splice(2)])
            before = switch.rows()
            switch.table("connections").delete((digest(client(1), 1, 32),))
            with pytest.raises(Unavailable, match="not as they should be"):
                await fastpath.update([splice(1, pivot=7)])
            await fastpath.settled()
            assert switch.rows() == before

    run(scenario())


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (replace(CLIENT_SIDE, number=511), "port 511: v1model drops what is sent there"),
        (replace(CLIENT_SIDE, speed="25G"), "port 0: its interface has a speed already"),
        (replace(CLIENT_SIDE, fec="rs"), "port 0: its interface has a speed already"),
    ],
)
def test_ports_that_bmv2_does_not_have(tmp_path: Path, port: Port, message: str) -> None:
    async def scenario() -> None:
        with pytest.raises(Rejected, match=message):
            async with running(P4RuntimeSwitch(tmp_path, v1model()), network=Network((port,))):
                pass

    run(scenario())
