"""What comes from the switch: ends, idle splices, punts whose way has to be cleared, neighbours."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from fastpath import frame as cpu
from fastpath.errors import TableFull
from fastpath.frame import Action
from fastpath.interface import Closed
from fastpath.pipeline.digest import digest
from fastpath.pipeline.ledger import PER_PREFIX
from fastpath.records import Direction, Flow, Reason, Tuple4
from fastpath.switch import arp
from fastpath.switch.arp import Arp, Operation
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment
from tests.unit.pipeline.plane import Plane
from tests.unit.pipeline.program import ENDED
from tests.unit.pipeline.reader import Reader
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, OTHER_VIP, SERVERS, SNAT, VIP, client, colliding, splice
from tests.unit.pipeline.switches import CLIENT_SIDE, MakeSwitch, SocketLink, Switch, run, running
from tests.unit.pipeline.test_pipeline_configure import APART, TOGETHER
from tests.unit.pipeline.test_pipeline_install import assert_right, configured

MAC = bytes.fromhex("02000000c0fe")
ANNOUNCEMENT = Arp(Operation.REQUEST, CLIENT_SIDE.mac, VIP.address, bytes(6), VIP.address)
BITS = 6


def ended(switch: Switch, source: Endpoint, destination: Endpoint, flags: int) -> None:
    """A translated packet leaves with these flags."""
    addresses = (int.from_bytes(source.address, "big"), source.port, int.from_bytes(destination.address, "big"))
    switch.process(ENDED.pack(*addresses, destination.port, flags))


def syn(source: Endpoint, destination: Endpoint = VIP) -> bytes:
    """The SYN of a client, punted."""
    return punted(
        Reason.SYN, tcp.build(Segment(source, destination, 1, 0, tcp.SYN, 65535, Options())), cpu.ETHERTYPE_IPV4
    )


def punted(reason: Reason, packet: bytes, ether_type: int, port: int = 0) -> bytes:
    frame = cpu.encode(packet, Action.TRANSLATE, port=port, peer=MAC, ether_type=ether_type)
    return frame[: cpu.OFFLOAD_LENGTH + 1] + bytes((reason,)) + frame[cpu.OFFLOAD_LENGTH + 2 :]


async def received(link: SocketLink) -> bytes:
    """The next frame that the fast path injects."""
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(link.wire, 65535), 10)


def test_an_end_is_reported_once_per_cause(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            reader = Reader(fastpath)
            await configured(fastpath)
            plain, snat = splice(1), splice(2, source=SNAT)
            await fastpath.install([plain, snat])
            for each in (plain, snat):
                to_server, to_client = (translation.becomes for translation in each.translations())
                ended(switch, *to_server, tcp.FIN | tcp.ACK)
                ended(switch, *to_server, tcp.FIN | tcp.ACK)
                ended(switch, *to_client, tcp.FIN | tcp.ACK)
                assert (await reader.next()).closed == [Closed(each.flow, reset=False)]
                ended(switch, *to_client, tcp.FIN | tcp.ACK)
                ended(switch, *to_client, tcp.RST)
                assert (await reader.next()).closed == [Closed(each.flow, reset=True, by=Direction.TO_CLIENT)]
            ended(switch, client(9), VIP, tcp.RST)
            await fastpath.update([splice(1, pivot=9), splice(2, source=SNAT, delta=6)])
            for each in (plain, snat):
                ended(switch, *each.translations()[0].becomes, tcp.RST)
            # The one is what it was, the other begins anew.
            assert (await reader.next()).closed == [Closed(snat.flow, reset=True, by=Direction.TO_SERVER)]

    run(scenario())


def test_a_record_makes_way_for_a_new_connection_of_its_digest(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch(digest_bits=BITS)) as (switch, fastpath, link):
            await configured(fastpath)
            first, second, third = (splice(port) for port in colliding(3, BITS))
            await fastpath.install([first])
            link.wire.send(syn(second.flow.client))
            [punt] = (await anext(fastpath.events())).punts
            assert punt.reason is Reason.SYN
            assert len(switch.rows("overrides")) == 2
            plane = Plane(switch.rows(), BITS)
            assert plane.process(Tuple4(*second.flow)) is None
            assert_right(switch, first, bits=BITS)
            # And none gets in its way while it is not spliced.
            await fastpath.install([third])
            assert Plane(switch.rows(), BITS).process(Tuple4(*second.flow)) is None
            await fastpath.install([second])
            assert len(switch.rows("connections")) == 1
            assert_right(switch, first, second, third, bits=BITS)

    run(scenario())


def test_a_new_connection_is_not_taken_for_another_after_groups_have_merged(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, link):
            await fastpath.configure(APART, SERVERS, NEXT_HOPS)
            await fastpath.install([splice(1)])
            link.wire.send(syn(client(1), OTHER_VIP))
            assert (await anext(fastpath.events())).punts
            await fastpath.configure(TOGETHER, SERVERS, NEXT_HOPS)
            # Both have one digest now, and could have one server.
            assert not switch.rows("connections")
            assert_right(switch, splice(1))

    run(scenario())


def test_a_syn_waits_while_nothing_can_be_moved(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch(digest_bits=BITS, overrides=0)) as (switch, fastpath, link):
            await configured(fastpath)
            ports = colliding(2, BITS)
            free = next(port for port in range(1, 99) if digest(client(port), 1, BITS) != digest(client(1), 1, BITS))
            await fastpath.install([splice(ports[0])])
            for port in (ports[1], free):
                link.wire.send(syn(client(port)))
            [punt] = (await anext(fastpath.events())).punts
            assert punt.packet == syn(client(free))[cpu.PACKET_OFFSET :]
            assert fastpath.counters().drops[6] == 1  # type: ignore[index]
            assert_right(switch, splice(ports[0]), bits=BITS)

    run(scenario())


def test_the_clients_of_one_network_cannot_take_all_overrides(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch(digest_bits=BITS, overrides=8 * PER_PREFIX)) as (switch, fastpath, _):
            await configured(fastpath)
            *splices, one_more = (splice(port) for port in colliding(PER_PREFIX + 2, BITS))
            await fastpath.install(splices)
            assert len(switch.rows("overrides")) == 2 * PER_PREFIX
            message = rf"the clients of 10\.1\.0\.0/24 collide {PER_PREFIX + 1} times"
            with pytest.raises(TableFull, match=message):
                await fastpath.install([one_more])
            # SNAT is nobody's fault.
            translated = replace(one_more, source=SNAT)
            await fastpath.install([translated])
            assert_right(switch, *splices, translated, bits=BITS)

    run(scenario())


def test_a_client_is_found_before_it_is_answered(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, link):
            reader = Reader(fastpath)
            await fastpath.configure([LISTENER], [], [])
            assert _arp(await received(link)) == ANNOUNCEMENT
            link.wire.send(syn(client(1)))
            assert [punt.reason for punt in (await reader.next()).punts] == [Reason.SYN]
            request = cpu.decode(_as_punt(await received(link), Reason.ARP))
            assert request.raw[cpu.OFFLOAD_LENGTH + 6 : cpu.OFFLOAD_LENGTH + 12] == arp.BROADCAST
            asked = arp.parse(request.packet)
            assert asked == Arp(Operation.REQUEST, CLIENT_SIDE.mac, bytes((10, 1, 0, 1)), bytes(6), client(1).address)
            answer = cpu.encode(
                tcp.build(Segment(VIP, client(1), 9, 2, tcp.SYN | tcp.ACK, 65535, Options())), Action.ROUTE
            )
            fastpath.inject([answer])
            reply = Arp(Operation.REPLY, MAC, client(1).address, CLIENT_SIDE.mac, bytes((10, 1, 0, 1)))
            link.wire.send(punted(Reason.ARP, arp.build(reply), arp.ETHERTYPE))
            assert await received(link) == answer
            assert ("routes", (int.from_bytes(client(1).address, "big"), 0xFFFFFFFF)) in switch.rows("routes")
            fastpath.inject([answer])
            assert await received(link) == answer

    run(scenario())


def test_servers_are_asked_for_and_vips_answered_for(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (_switch, fastpath, link):
            reader = Reader(fastpath)
            await fastpath.configure([LISTENER], SERVERS, [])
            assert _arp(await received(link)) == ANNOUNCEMENT
            asked = {_arp(await received(link)).target for _ in SERVERS}
            assert asked == {server.endpoint.address for server in SERVERS}
            who_has = Arp(Operation.REQUEST, MAC, client(1).address, bytes(6), VIP.address)
            link.wire.send(punted(Reason.ARP, arp.build(who_has), arp.ETHERTYPE))
            answer = await received(link)
            assert _arp(answer) == Arp(Operation.REPLY, CLIENT_SIDE.mac, VIP.address, MAC, client(1).address)
            assert answer[cpu.OFFLOAD_LENGTH : cpu.OFFLOAD_LENGTH + 12] == CLIENT_SIDE.mac + MAC
            fastpath.answer_for([(bytes((10, 1, 0, 64)), 30)])
            who_has = Arp(Operation.REQUEST, MAC, client(1).address, bytes(6), bytes((10, 1, 0, 67)))
            link.wire.send(punted(Reason.ARP, arp.build(who_has), arp.ETHERTYPE))
            assert _arp(await received(link)).sender == bytes((10, 1, 0, 67))
            assert reader.batches.empty()

    run(scenario())


def _arp(frame: bytes) -> Arp:
    found = arp.parse(frame[cpu.PACKET_OFFSET :])
    assert found is not None
    return found


def _as_punt(frame: bytes, reason: Reason) -> bytes:
    """An injected frame, to be read as a punted one."""
    return frame[: cpu.OFFLOAD_LENGTH + 1] + bytes((reason,)) + frame[cpu.OFFLOAD_LENGTH + 2 :]


def test_closing_while_a_way_is_cleared_ends_the_events(
    make_switch: MakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (_, fastpath, link):

            async def close_meanwhile(flow: Flow) -> bool:
                await fastpath.close()
                return False

            monkeypatch.setattr(fastpath._ledger, "is_clear", lambda flow, now: False)
            monkeypatch.setattr(fastpath._programming, "clear_way", close_meanwhile)
            link.wire.send(syn(client(1)))
            assert [batch async for batch in fastpath.events()] == []

    run(scenario())
