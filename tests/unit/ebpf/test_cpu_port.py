"""The raw socket of the CPU interface."""

from __future__ import annotations

import select

import pytest

from fastpath.cpu_port import CpuPort
from fastpath.errors import Unavailable
from tests.unit.ebpf.hosts import Host

ETHERNET = bytes.fromhex("024c00000001 024c00000002 88b5")


@pytest.fixture
def ports(host: Host) -> tuple[CpuPort, CpuPort]:
    """Both ends of a pair."""
    host.shell(
        "sysctl -q net.ipv6.conf.default.disable_ipv6=1",
        "ip link add near mtu 65535 type veth peer name far mtu 65535",
        "ip link set near up",
        "ip link set far up",
    )
    return host.run(lambda: CpuPort("near")), host.run(lambda: CpuPort("far"))


def received(port: CpuPort, count: int) -> list[bytes]:
    """Receive until `count` frames are there."""
    frames: list[bytes] = []
    while len(frames) < count:
        assert select.select([port], [], [], 10)[0], "nothing has arrived"
        frames += port.receive(count - len(frames))
    return frames


def test_frames_arrive_in_order_and_whole(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    sent = [bytes(10) + ETHERNET + bytes((number,)) * length for number, length in enumerate((1, 46, 1500, 65000))]
    for frame in sent:
        near.send(frame)
    assert received(far, len(sent)) == sent
    assert far.receive(10) == []
    assert near.receive(10) == [], "what is sent does not come back"


def test_frames_of_a_vlan_are_not_received(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    untagged = bytes(10) + ETHERNET + b"untagged"
    near.send(bytes(10) + ETHERNET[:12] + bytes.fromhex("8100 0064 88b5") + b"tagged")
    near.send(untagged)
    assert received(far, 1) == [untagged]
    assert far.receive_failures() == 0


def test_no_more_than_asked_for_is_received(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    for _ in range(5):
        near.send(bytes(10) + ETHERNET + b"x")
    assert len(received(far, 2)) == 2
    assert len(received(far, 3)) == 3


def test_what_finds_no_room_is_counted(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    frames = 4000
    for _ in range(frames):
        near.send(bytes(10) + ETHERNET + bytes(65000))
    there = 0
    while got := far.receive(1000):
        there += len(got)
    assert 0 < there < frames
    assert far.receive_failures() + near.send_failures >= 1
    assert far.receive_failures() == far.receive_failures(), "reading the count does not reset it"


def test_a_missing_interface_is_named(host: Host) -> None:
    with pytest.raises(Unavailable, match="CPU interface absent: No such device"):
        host.run(lambda: CpuPort("absent"))


def test_an_interface_that_goes_down_is_an_error(host: Host, ports: tuple[CpuPort, CpuPort]) -> None:
    near, _ = ports
    host.shell("ip link del near")
    with pytest.raises(Unavailable, match="CPU interface has failed"):
        near.receive(1)
