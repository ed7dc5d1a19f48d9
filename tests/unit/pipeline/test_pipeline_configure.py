"""Reconfiguration while there are splices: groups that merge, what is retired, neighbours, paths."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fastpath.errors import Rejected, TableFull
from fastpath.pipeline.driver import Driver
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.groups import Groups, Links, group
from fastpath.records import Counters, Direction, Flow, Listener, NextHop, Splice, Traffic, Vxlan
from fastpath.switch.network import Network, Port
from slowpath.wire.endpoint import Endpoint
from tests.unit.pipeline.plane import Plane, expected
from tests.unit.pipeline.samples import (
    LISTENER,
    NEXT_HOPS,
    OTHER_SERVER,
    OTHER_VIP,
    SERVER,
    SERVERS,
    TO_CLIENTS,
    VIP,
    client,
    splice,
)
from tests.unit.pipeline.switches import CLIENT_SIDE, MakeSwitch, Switch, run, running
from tests.unit.pipeline.test_pipeline_install import assert_right, configured

APART = [Listener(VIP, servers=frozenset({7})), Listener(OTHER_VIP, servers=frozenset({8}))]
TOGETHER = [Listener(VIP, servers=frozenset({7, 8})), Listener(OTHER_VIP, servers=frozenset({8}))]


def other(port: int) -> Splice:
    """A splice of the other VIP."""
    return splice(port, flow=Flow(client(port), OTHER_VIP), server=OTHER_SERVER.endpoint, server_id=8)


def groups_of(switch: Switch, table: str) -> dict[Endpoint, int]:
    return {
        Endpoint(address.to_bytes(4, "big"), port): number
        for (_, (address, port)), (_, (number,)) in switch.rows(table).items()
    }


def test_vips_that_come_to_share_a_server_come_to_share_a_group(
    make_switch: MakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await fastpath.configure(APART, SERVERS, NEXT_HOPS)
            vips = groups_of(switch, "vips")
            assert vips[VIP] != vips[OTHER_VIP]
            splices = [*(splice(port) for port in range(1, 9)), *(other(port) for port in range(1, 4))]
            await fastpath.install(splices)
            assert len(switch.rows("connections")) == 11
            kind = type(fastpath._driver)
            write = kind.write

            async def checked(driver: Driver, steps: Sequence[object], **how: bool) -> None:
                await write(driver, steps, **how)  # type: ignore[arg-type]
                plane = Plane(switch.rows(), 32)
                for each in splices:
                    assert all(plane.process(packet) == rewrite for packet, rewrite in expected(each).items())

            monkeypatch.setattr(kind, "write", checked)
            await fastpath.configure(TOGETHER, SERVERS, NEXT_HOPS)
            assert groups_of(switch, "vips") == {VIP: vips[VIP], OTHER_VIP: vips[VIP]}
            assert set(groups_of(switch, "servers").values()) == {vips[VIP]}
            # Two connections of one client to both VIPs have one digest now.
            assert len(switch.rows("overrides")) == 6
            assert_right(switch, *splices)
            monkeypatch.undo()
            await fastpath.remove([each.flow for each in splices])
            await fastpath.configure(APART, SERVERS, NEXT_HOPS)
            vips = groups_of(switch, "vips")
            assert vips[VIP] != vips[OTHER_VIP]

    run(scenario())


def test_what_is_not_configured_any_more_stays_while_it_has_records(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1)])
            await fastpath.configure([Listener(OTHER_VIP)], [OTHER_SERVER], NEXT_HOPS)
            assert set(groups_of(switch, "vips")) == {VIP, OTHER_VIP}
            assert_right(switch, splice(1))
            await fastpath.remove([splice(1).flow])
            await fastpath._programming.tidy(fastpath.refresh)
            assert set(groups_of(switch, "vips")) == {OTHER_VIP}
            assert set(groups_of(switch, "servers")) == {OTHER_SERVER.endpoint}
            assert not switch.rows("paths_to_server", "paths_to_client")

    run(scenario())


def test_a_new_route_moves_paths_to_it(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1)])
            tunnel = Vxlan(bytes((10, 2, 0, 1)), bytes((10, 2, 0, 20)), 42, bytes(6), b"\2" * 6)
            hop = NextHop((SERVER.endpoint.address, 32), 1, b"\2" * 6, b"\4" * 6, tunnel)
            await fastpath.configure([LISTENER], SERVERS, [*NEXT_HOPS, hop])
            [(_, (_, (_, _, number)))] = switch.rows("paths_to_server").items()
            outer = (0x0A020001, 0x0A020014, 42, 0, 0x020202020202)
            assert switch.rows("next_hops")["next_hops", (number,)] == (
                "vxlan",
                (1, 0x020202020202, 0x040404040404, *outer),
            )
            await fastpath.configure([LISTENER], SERVERS, [TO_CLIENTS])
            [(_, (_, (_, _, number)))] = switch.rows("paths_to_server").items()
            assert number == 0
            assert len(switch.rows("next_hops")) == 1

    run(scenario())


def test_settings_that_cannot_be_change_nothing(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            before = switch.rows()
            with pytest.raises(Rejected, match=r"next hop for 0a\.09\.00\.00/16: there is no port 9"):
                hop = NextHop((bytes((10, 9, 0, 0)), 16), 9, bytes(6), bytes(6))
                await fastpath.configure([LISTENER], SERVERS, [hop])
            with pytest.raises(TableFull, match="9 VIPs do not fit: there is room for 8"):
                many = [Listener(Endpoint(VIP.address, port)) for port in range(1, 10)]
                await fastpath.configure(many, SERVERS, NEXT_HOPS)
            switch.refuse("vips", None)
            with pytest.raises(TableFull, match="vips"):
                await fastpath.configure([LISTENER, Listener(OTHER_VIP)], SERVERS, [TO_CLIENTS])
            await fastpath.settled()
            assert switch.rows() == before

    run(scenario())


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (Port(512, b"\2" * 6), r"port 512 is outside 0\.\.511"),
        (CLIENT_SIDE, "port 0 is there 2 times"),
        (Port(3, b"\1" * 6), "port 3: 01:01:01:01:01:01 is not a unicast Ethernet address"),
        (Port(3, b"\2" * 6, ((bytes(16), 64),)), "port 3: .*/64 is not an IPv4 address and prefix"),
    ],
)
def test_ports_that_cannot_be(make_switch: MakeSwitch, port: Port, message: str) -> None:
    async def scenario() -> None:
        with pytest.raises(Rejected, match=message):
            async with running(make_switch(), network=Network((CLIENT_SIDE, port))):
                pass

    run(scenario())


def counted(switch: Switch, name: str, index: int, packets: int, octets: int) -> None:
    """Let the data plane count."""
    for _ in range(packets):
        switch.counter(name).count(index, octets)


def test_counters_outlive_paths_and_servers(make_switch: MakeSwitch) -> None:
    async def refreshed(fastpath: PipelineFastPath) -> Counters:
        await fastpath.refresh()
        return fastpath.counters()

    async def scenario() -> None:
        switch = make_switch()
        await switch.prepare()
        counted(switch, "traffic", 0, 5, 100)
        async with running(switch) as (_, fastpath, _link):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2, server=OTHER_SERVER.endpoint, server_id=8)])
            counted(switch, "traffic", 0, 2, 74)
            counted(switch, "traffic", 1, 1, 1014)
            counted(switch, "traffic", 2, 1, 60)
            counted(switch, "outcomes", 1, 3, 60)
            counted(switch, "outcomes", 16 + 3, 2, 60)
            found = await refreshed(fastpath)
            assert found.servers[7][Direction.TO_SERVER] == Traffic(2, 120)
            assert found.servers[7][Direction.TO_CLIENT] == Traffic(1, 1000)
            assert found.servers[8][Direction.TO_SERVER] == Traffic(1, 46)
            assert (found.punts[1], found.drops[3]) == (3, 2)  # type: ignore[index]
            await fastpath.remove([splice(1).flow])
            await fastpath.configure([LISTENER], [OTHER_SERVER], NEXT_HOPS)
            counted(switch, "traffic", 0, 1, 74)
            await fastpath._programming.tidy(fastpath.refresh)
            await fastpath.install([splice(3, server_id=9)])
            counted(switch, "traffic", 0, 1, 64)
            await switch.stop()
            await switch.forget()
            await switch.start()
            await switch.back(fastpath)
            counted(switch, "traffic", 0, 1, 54)
            found = await refreshed(fastpath)
            assert found.servers[7][Direction.TO_SERVER] == Traffic(3, 180)
            # What was counted between the last look and the restart is lost.
            assert found.servers[9][Direction.TO_SERVER] == Traffic(1, 40)

    run(scenario())


def test_numbers_of_groups_stay_where_most_records_are() -> None:
    servers = [Endpoint(bytes((10, 2, 0, last)), 80) for last in range(4)]
    apart = Links({VIP: frozenset(servers[:1]), OTHER_VIP: frozenset(servers[1:2])}, frozenset(servers))
    first = group(apart, Groups())
    assert len(set(first.vips.values())) == 2
    assert len(set(first.servers.values())) == 4
    assert all(number >= 1 for number in (*first.vips.values(), *first.servers.values()))
    assert group(apart, first) == first
    records = {(VIP, servers[0]): 2, (OTHER_VIP, servers[1]): 3}
    merged = group(
        Links({VIP: frozenset(servers[:2]), OTHER_VIP: frozenset(servers[:2])}, frozenset(servers), records), first
    )
    assert set(merged.vips.values()) == {first.vips[OTHER_VIP]}
    assert merged.servers[servers[2]] == first.servers[servers[2]]
    split = group(Links(apart.vips, apart.servers, records), merged)
    assert set(split.vips.values()) == {first.vips[OTHER_VIP]}
    again = group(Links(apart.vips, apart.servers, {(VIP, servers[0]): 1}), split)
    assert again.vips[VIP] == split.vips[VIP] != again.vips[OTHER_VIP]
