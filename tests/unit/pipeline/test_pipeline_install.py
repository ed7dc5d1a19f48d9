"""Splices in the tables of a real BfRt server: all of a batch or nothing."""

from __future__ import annotations

import asyncio

import pytest

from fastpath.errors import Rejected, TableFull, Unavailable
from fastpath.pipeline.digest import digest
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.records import Flow, Pivot, Splice
from tests.unit.pipeline.plane import Plane, expected
from tests.unit.pipeline.program import PATHS
from tests.unit.pipeline.samples import (
    LISTENER,
    NEXT_HOPS,
    OTHER_VIP,
    SERVERS,
    SNAT,
    VIP,
    client,
    colliding,
    splice,
)
from tests.unit.pipeline.switches import MakeSwitch, Switch, run, running

RECORDS = ("connections", "overrides")


def assert_right(switch: Switch, *splices: Splice, bits: int = 32) -> None:
    """The tables hold these splices and no others."""
    plane = Plane(switch.rows(), bits)
    for each in splices:
        for packet, rewrite in expected(each).items():
            assert plane.process(packet) == rewrite
    entries = len(switch.rows("connections")) + len(switch.rows("overrides")) // 2
    assert entries == len(splices)


async def configured(fastpath: PipelineFastPath) -> None:
    await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)


def test_a_splice_takes_one_entry_that_both_directions_find(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            splices = [splice(port, pivot=9 if port % 2 else None) for port in range(1, 20)]
            await fastpath.install(splices)
            assert_right(switch, *splices)
            assert not switch.rows("overrides")
            assert list(fastpath.splices()) == splices
            await fastpath.remove([each.flow for each in splices[:-1]] * 2)
            assert_right(switch, splices[-1])

    run(scenario())


def test_an_update_changes_the_entry(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            changed = splice(1, pivot=77, server=SERVERS[1].endpoint, server_id=SERVERS[1].id, delta=6)
            await fastpath.update([changed])
            assert_right(switch, changed, splice(2))
            with pytest.raises(Rejected, match=r"10\.1\.0\.2:3 > 10\.1\.0\.100:80 is not there to be updated"):
                await fastpath.update([splice(2, delta=9), splice(3)])
            assert_right(switch, changed, splice(2))

    run(scenario())


def test_snat_takes_overrides_by_full_addresses(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            translated = splice(1, source=SNAT, pivot=3)
            await fastpath.install([translated, splice(2)])
            assert len(switch.rows("overrides")) == 2
            assert_right(switch, translated, splice(2))
            await fastpath.install([splice(1)])
            assert not switch.rows("overrides")
            assert_right(switch, splice(1), splice(2))

    run(scenario())


def test_a_splice_of_an_unknown_vip_or_server_takes_overrides(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            strange = splice(1, flow=Flow(client(1), OTHER_VIP))
            stranger = splice(2, server=SNAT)
            await fastpath.install([strange, stranger, splice(3)])
            assert len(switch.rows("overrides")) == 4
            assert_right(switch, strange, stranger, splice(3))

    run(scenario())


def test_a_digest_that_is_taken_sends_the_later_splice_to_overrides(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch(digest_bits=6)) as (switch, fastpath, _):
            await configured(fastpath)
            first, second, third = (splice(port) for port in colliding(3, 6))
            await fastpath.install([first, second])
            await fastpath.install([third])
            assert len(switch.rows("connections")) == 1
            assert_right(switch, first, second, third, bits=6)
            assert fastpath.counters().collisions == 2
            await fastpath.remove([first.flow])
            assert_right(switch, second, third, bits=6)
            await fastpath.remove([second.flow])
            await fastpath.install([second])
            assert len(switch.rows("connections")) == 1
            assert_right(switch, second, third, bits=6)

    run(scenario())


def test_what_does_not_fit_changes_nothing(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch(connections=3, overrides=4)) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            with pytest.raises(TableFull, match="2 more splices do not fit: 2 of 3"):
                await fastpath.install([splice(3), splice(4)])
            snat = [
                splice(5, source=SNAT),
                splice(6, source=SNAT._replace(port=1)),
                splice(7, source=SNAT._replace(port=2)),
            ]
            with pytest.raises(TableFull, match="6 more overrides do not fit: 0 of 4"):
                await fastpath.install(snat)
            assert_right(switch, splice(1), splice(2))
            await fastpath.install([splice(2, delta=6), splice(3), *snat[:2]])
            assert_right(switch, splice(1), splice(2, delta=6), splice(3), *snat[:2])
            assert fastpath.limits.capacity == 3

    run(scenario())


def test_what_is_refused_changes_nothing(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            assert (fastpath.limits.timestamps, fastpath.limits.pivot) == (False, Pivot.BIT)
            with pytest.raises(Rejected, match="translates no timestamps"):
                await fastpath.install([splice(1), splice(2, timestamp_delta=1)])
            with pytest.raises(Rejected, match=r"belong to splice 10\.1\.0\.2:1 > 10\.1\.0\.100:80"):
                await fastpath.install([splice(1), splice(1, flow=Flow(client(1), OTHER_VIP))])
            assert not switch.rows(*RECORDS)

    run(scenario())


def test_an_entry_that_finds_no_place_goes_to_overrides(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            full = {(digest(client(port), 1, 32),) for port in (2, 4)}
            switch.refuse("connections", full)
            splices = [splice(port) for port in range(1, 6)]
            await fastpath.install(splices)
            assert len(switch.rows("connections")) == 3
            assert_right(switch, *splices)
            assert fastpath.counters().collisions == 0

    run(scenario())


@pytest.mark.parametrize("table", ["connections", "overrides", "paths_to_client"])
def test_a_table_that_refuses_refuses_the_batch(make_switch: MakeSwitch, table: str) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            switch.refuse(table, None)
            with pytest.raises(TableFull):
                await fastpath.install([*(splice(port) for port in range(1, 20)), splice(20, source=SNAT)])
            assert not switch.rows(*RECORDS)
            switch.refuse(table, set())
            await fastpath.install([splice(1)])
            assert_right(switch, splice(1))

    run(scenario())


def test_too_many_paths(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(port, server_id=port) for port in range(1, PATHS + 1)])
            with pytest.raises(TableFull, match=f"all {PATHS} paths are taken"):
                await fastpath.install([splice(50, server_id=50)])
            await fastpath.remove([splice(1).flow])
            await fastpath._programming.tidy(fastpath.refresh)
            await fastpath.install([splice(50, server_id=50)])
            assert_right(switch, *(splice(port) for port in (*range(2, PATHS + 1), 50)))

    run(scenario())


def test_entries_that_are_not_ours_are_noticed_and_removed(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1)])
            switch.table("connections").insert((digest(client(2), 1, 32),), 0, (1, 0, 0))
            with pytest.raises(Unavailable, match=r"connections\(digest=0x"):
                await fastpath.install([splice(2), splice(3)])
            await fastpath.settled()
            assert_right(switch, splice(1))
            await fastpath.install([splice(2), splice(3)])
            assert_right(switch, splice(1), splice(2), splice(3))

    run(scenario())


def test_closing_leaves_empty_tables(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2, source=SNAT)])
            await fastpath.close()
            await fastpath.close()
            assert not switch.rows()
            with pytest.raises(Unavailable, match="closed"):
                await fastpath.install([splice(3)])

    run(scenario())


def test_what_is_being_installed_while_closing_does_not_stay(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            installs = [asyncio.create_task(fastpath.install([splice(port)])) for port in range(1, 9)]
            await asyncio.sleep(0)
            await fastpath.close()
            outcomes = await asyncio.gather(*installs, return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, Unavailable) for outcome in outcomes), outcomes
            assert not switch.rows()

    run(scenario())


def test_what_a_killed_run_left_is_removed(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        switch = make_switch()
        await switch.prepare()
        for table, key, arguments in (("connections", (7,), (1, 0, 0)), ("vips", (1, 2), (3,))):
            switch.table(table).insert(key, 0, arguments)
        async with running(switch):
            assert not switch.rows("vips", "connections")

    run(scenario())


def test_another_program_is_refused(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        with pytest.raises(Unavailable, match=r"another program: no table 'routes'"):
            async with running(make_switch(without="routes")):
                pass

    run(scenario())


def test_the_vip_is_known_to_all(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            assert [key for _, key in switch.rows("vips")] == [(int.from_bytes(VIP.address, "big"), VIP.port)]

    run(scenario())
