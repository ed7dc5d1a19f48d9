"""The switch as a host: what it answers, whom it asks, which frames wait."""

from __future__ import annotations

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath import frame as cpu
from fastpath.frame import Action, Punt
from fastpath.records import Reason
from fastpath.switch import arp, echo
from fastpath.switch.arp import Arp, Operation
from fastpath.switch.network import Gateway, Neighbour, Network, Port, default_mac
from fastpath.switch.station import Station
from fastpath.switch.waiting import Waiting

PORT = Port(3, b"\2\0\0\0\0\3", ((bytes((10, 1, 0, 1)), 24),))
GATEWAY = bytes((10, 1, 0, 254))
NETWORK = Network((PORT,), (Gateway((bytes(4), 0), GATEWAY),))
OURS, VIP = bytes((10, 1, 0, 1)), bytes((10, 1, 0, 100))
HOST, MAC = bytes((10, 1, 0, 2)), b"\2\0\0\0\0\x99"
REQUEST = Arp(Operation.REQUEST, MAC, HOST, bytes(6), VIP)


def punt(reason: Reason, packet: bytes, ether_type: int = cpu.ETHERTYPE_IPV4, port: int = 3) -> Punt:
    raw = cpu.encode(packet, Action.TRANSLATE, port=port, peer=MAC, ether_type=ether_type)
    return Punt(reason, port, raw)


def heard(station: Station, packet: Arp, *, now: float = 0.0, port: int = 3) -> list[Arp]:
    """What the station sends upon an ARP packet."""
    assert station.receive(punt(Reason.ARP, arp.build(packet), arp.ETHERTYPE, port), now)
    return [arp_of(frame) for frame in station.take_frames()]


def arp_of(frame: bytes) -> Arp:
    found = arp.parse(frame[cpu.PACKET_OFFSET :])
    assert found is not None
    return found


def routed(destination: bytes, number: int = 0) -> bytes:
    """A frame that the slow path injects."""
    packet = dpkt.ip.IP(src=VIP, dst=destination, p=6, id=number, data=bytes(20))
    return cpu.encode(bytes(packet), Action.ROUTE)


def asked(station: Station) -> list[bytes]:
    return [arp_of(frame).target for frame in station.take_frames()]


def station() -> Station:
    made = Station(NETWORK)
    made.answer_for([(VIP, 32)])
    return made


def test_requests_for_our_addresses_are_answered() -> None:
    for target in (VIP, OURS):
        request = Arp(Operation.REQUEST, MAC, HOST, bytes(6), target)
        assert heard(station(), request) == [Arp(Operation.REPLY, PORT.mac, target, MAC, HOST)]


def test_an_answer_goes_to_whom_it_is_for_and_fills_the_smallest_frame() -> None:
    made = station()
    made.receive(punt(Reason.ARP, arp.build(REQUEST), arp.ETHERTYPE), 0.0)
    [frame] = made.take_frames()
    ethernet = frame[cpu.OFFLOAD_LENGTH :]
    assert ethernet[:6] == default_mac(3)
    assert ethernet[6:12] == MAC
    assert len(ethernet) == 60


def test_a_new_address_is_announced_on_its_link() -> None:
    made = station()
    made.announce([VIP, bytes((192, 0, 2, 1))])
    [frame] = made.take_frames()
    assert frame[cpu.OFFLOAD_LENGTH + 6 : cpu.OFFLOAD_LENGTH + 12] == arp.BROADCAST
    assert arp_of(frame) == Arp(Operation.REQUEST, PORT.mac, VIP, bytes(6), VIP)


def test_an_address_probe_is_answered_and_teaches_nothing() -> None:
    made = station()
    [answer] = heard(made, Arp(Operation.REQUEST, MAC, bytes(4), bytes(6), VIP))
    assert answer.target_mac == MAC
    assert not made.resolved


@pytest.mark.parametrize(
    ("packet", "port"),
    [
        (Arp(Operation.REQUEST, MAC, HOST, bytes(6), HOST), 3),
        (Arp(Operation.REQUEST, MAC, HOST, bytes(6), bytes((10, 1, 0, 3))), 3),
        (Arp(Operation.REPLY, MAC, HOST, PORT.mac, OURS), 3),
        (REQUEST, 4),
        (Arp(Operation.REQUEST, b"\xff" * 6, HOST, bytes(6), VIP), 3),
        (Arp(Operation.REQUEST, MAC, OURS, bytes(6), VIP), 3),
    ],
    ids=["announcement", "of others", "unasked reply", "unknown port", "from everybody", "from ourselves"],
)
def test_what_is_not_for_us_is_not_answered_and_teaches_nothing(packet: Arp, port: int) -> None:
    made = station()
    assert heard(made, packet, port=port) == []
    assert not made.resolved


def test_a_sender_that_is_not_on_the_link_is_not_learned() -> None:
    made = station()
    assert len(heard(made, Arp(Operation.REQUEST, MAC, bytes((192, 0, 2, 1)), bytes(6), VIP))) == 1
    assert not made.resolved


def test_who_asks_is_learned_and_an_announcement_changes_it() -> None:
    made = station()
    heard(made, REQUEST)
    assert made.resolved == {Neighbour(3, HOST): MAC}
    other = b"\2" * 6
    heard(made, Arp(Operation.REPLY, other, HOST, arp.BROADCAST, HOST))
    assert made.resolved == {Neighbour(3, HOST): other}


@given(st.binary(max_size=80))
def test_any_bytes_may_come_as_arp(data: bytes) -> None:
    made = station()
    assert made.receive(punt(Reason.ARP, data, arp.ETHERTYPE), 0.0)


def ping(destination: bytes = VIP, **changes: object) -> bytes:
    message = dpkt.icmp.ICMP(type=8, data=dpkt.icmp.ICMP.Echo(id=1, seq=2, data=b"hello"))
    return bytes(dpkt.ip.IP(**{"src": HOST, "dst": destination, "p": 1, "data": message, **changes}))


def test_an_echo_is_answered_where_it_came_from() -> None:
    made = station()
    assert made.receive(punt(Reason.ICMP, ping() + bytes(13)), 0.0)
    [frame] = made.take_frames()
    assert frame[cpu.OFFLOAD_LENGTH : cpu.OFFLOAD_LENGTH + 12] == default_mac(3) + MAC
    answer = dpkt.ip.IP(frame[cpu.PACKET_OFFSET :])
    assert (answer.src, answer.dst, answer.data.type, answer.data.data.data) == (VIP, HOST, 0, b"hello")
    assert dpkt.in_cksum(bytes(answer)[:20]) == dpkt.in_cksum(bytes(answer)[20:]) == 0


def test_other_icmp_goes_on() -> None:
    broken = bytearray(ping())
    broken[-1] ^= 1
    for packet in (ping(HOST), bytes(broken), ping()[:20], ping(mf=1), b""):
        made = station()
        assert not made.receive(punt(Reason.ICMP, packet), 0.0)
        assert all(arp.parse(frame[cpu.PACKET_OFFSET :]) for frame in made.take_frames())


@given(st.binary(max_size=80))
def test_any_bytes_may_come_as_icmp(data: bytes) -> None:
    for packet in (data, ping()[:20] + data):
        answer = echo.reply(packet, lambda address: True)
        assert answer is None or len(answer) >= 28


def test_the_source_of_a_punt_is_asked_for_and_what_is_for_it_waits() -> None:
    made = station()
    assert not made.receive(punt(Reason.SYN, ping()), 0.0)
    assert asked(made) == [HOST]
    first, second = routed(HOST, 1), routed(HOST, 2)
    assert made.hold(first)
    assert made.hold(second)
    assert not made.hold(routed(bytes((10, 1, 0, 9))))
    heard(made, Arp(Operation.REPLY, MAC, HOST, PORT.mac, OURS))
    # Not before the switch has the route.
    assert made.hold(third := routed(HOST, 3))
    made.routed(made.resolved)
    assert made.take_frames() == [first, second, third]
    assert not made.hold(routed(HOST, 4))


def test_what_is_behind_a_gateway_waits_for_the_gateway() -> None:
    made = station()
    made.want({Neighbour(3, GATEWAY)}, 0.0)
    assert asked(made) == [GATEWAY]
    frame = routed(bytes((192, 0, 2, 1)))
    assert made.hold(frame)
    assert not made.hold(cpu.encode(frame[cpu.PACKET_OFFSET :], Action.TRANSLATE, port=3))
    heard(made, Arp(Operation.REPLY, MAC, GATEWAY, PORT.mac, OURS))
    made.routed(made.resolved)
    assert made.take_frames() == [frame]


def test_what_waits_for_nobody_is_lost() -> None:
    made = station()
    made.receive(punt(Reason.SYN, ping()), 0.0)
    for number in range(100):
        made.hold(routed(HOST, number))
    assert made.frames_lost == 36
    for now in (1.0, 2.0, 3.0):
        made.advance(now)
    assert made.frames_lost == 100
    assert not made.hold(routed(HOST))


def test_room_for_waiting_is_bounded() -> None:
    waiting = Waiting()
    for number in range(300):
        waiting.hold(Neighbour(0, number.to_bytes(4, "big")), b"frame")
    assert len(waiting.neighbours()) == 256
    assert waiting.lost == 44


def test_arp_of_other_networks_is_not_read() -> None:
    good = arp.build(REQUEST)
    assert arp.parse(good) == REQUEST
    for offset in (1, 3, 4, 5, 7):
        other = bytearray(good)
        other[offset] ^= 0x40
        assert arp.parse(bytes(other)) is None
    assert arp.parse(good[:27]) is None
