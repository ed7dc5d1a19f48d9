"""Idle splices, by the idle timeouts of their entries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastpath.pipeline.digest import digest
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.surroundings import endpoint
from fastpath.records import Tuple4
from tests.unit.bmv2.switches import P4RuntimeSwitch
from tests.unit.pipeline.program import v1model
from tests.unit.pipeline.reader import Reader
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, SERVERS, SNAT, client, splice
from tests.unit.pipeline.switches import run, running

IDLE_AFTER = 600.0
TRANSLATED = [splice(port, source=SNAT._replace(port=port)) for port in (3, 4)]
ALL = [splice(1), splice(2), *TRANSLATED]


@asynccontextmanager
async def spliced(directory: Path) -> AsyncIterator[tuple[P4RuntimeSwitch, PipelineFastPath]]:
    """A switch with ALL."""
    switch = P4RuntimeSwitch(directory, v1model())
    async with running(switch, idle_after=IDLE_AFTER) as (_, fastpath, _link):
        await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
        await fastpath.install(ALL)
        yield switch, fastpath


def sent(switch: P4RuntimeSwitch, port: int) -> None:
    """A packet of the client's port finds its record in `connections`."""
    switch.table("connections").lookup_counted((digest(client(port), 1, 32),), 60)


def translated(switch: P4RuntimeSwitch, packet: Tuple4) -> None:
    """A packet finds its record in `overrides`."""
    switch.table("overrides").lookup_counted((*endpoint(packet.source), *endpoint(packet.destination)), 60)


async def reported(reader: Reader, *ports: int) -> set[int]:
    """The client's ports of all that is reported until those of `ports` were."""
    found: set[int] = set()
    while not found >= {*ports}:
        found |= {idle.flow.client.port for idle in (await reader.next()).idle}
    return found


def test_a_splice_is_idle_when_no_entry_of_it_is_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with spliced(tmp_path) as (switch, fastpath):
            reader = Reader(fastpath)
            switch.now += IDLE_AFTER - 1
            sent(switch, 1)
            translated(switch, TRANSLATED[0].translations()[1].match)
            switch.now += 2
            assert await reported(reader, 2, 4) == {2, 4}
            # What stays is reported again.
            switch.now += IDLE_AFTER
            assert await reported(reader, 1, 2, 3, 4) == {1, 2, 3, 4}
            await fastpath.remove([each.flow for each in ALL[1:]])
            switch.now += IDLE_AFTER
            assert await reported(reader, 1) == {1}

    run(scenario())


def test_entries_that_were_changed_or_restored_go_idle_as_well(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with spliced(tmp_path) as (switch, fastpath):
            reader = Reader(fastpath)
            await fastpath.update([replace(each, pivot=7) for each in ALL])
            switch.now += IDLE_AFTER
            assert await reported(reader, 1, 2, 3, 4) == {1, 2, 3, 4}
            await switch.stop()
            await switch.forget()
            await switch.start()
            await switch.back(fastpath)
            switch.now += IDLE_AFTER
            assert await reported(reader, 1, 2, 3, 4) == {1, 2, 3, 4}

    run(scenario())
