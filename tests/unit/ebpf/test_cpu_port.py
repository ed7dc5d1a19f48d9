"""The raw socket of the CPU interface."""

from __future__ import annotations

import select
import struct
from collections.abc import Iterator

import pytest

from deploy.laboratory.namespace import wait_until
from fastpath import cpu_port, receive_ring
from fastpath.cpu_port import CpuPort
from fastpath.errors import Unavailable
from tests.unit.ebpf.hosts import Host

ETHERNET = bytes.fromhex("024c00000001 024c00000002 88b5")


SLOTS = 128


@pytest.fixture
def ports(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[CpuPort, CpuPort]]:
    """Both ends of a pair, with rings that are soon full."""
    monkeypatch.setattr(cpu_port, "_SLOTS", SLOTS)
    host.shell(
        "sysctl -q net.ipv6.conf.default.disable_ipv6=1",
        "ip link add near mtu 65535 type veth peer name far mtu 65535",
        "ip link set near up",
        "ip link set far up",
    )
    both = host.run(lambda: CpuPort("near")), host.run(lambda: CpuPort("far"))
    yield both
    for port in both:
        port.close()


def received(port: CpuPort, count: int) -> list[bytes]:
    """Receive until `count` frames are there."""
    frames: list[bytes] = []
    while len(frames) < count:
        assert select.select([port], [], [], 10)[0], "nothing has arrived"
        frames += port.receive(count - len(frames))
    return frames


def frame(number: int, length: int) -> bytes:
    """A frame that can be told from others; `length` bytes are behind the Ethernet header."""
    return bytes(10) + ETHERNET + number.to_bytes(4, "big") * (length // 4) + bytes(length % 4)


def test_frames_arrive_in_order_and_whole(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    sent = [bytes(10) + ETHERNET + bytes((number,)) * length for number, length in enumerate((1, 46, 1500, 65000))]
    for one in sent:
        near.send([one])
    assert received(far, len(sent)) == sent
    assert far.receive(10) == []
    assert near.receive(10) == [], "what is sent does not come back"


@pytest.mark.parametrize("count", [2, 64, 65, 128])
def test_a_batch_arrives_in_order_and_whole(ports: tuple[CpuPort, CpuPort], count: int) -> None:
    near, far = ports
    sent = [frame(number, (1, 46, 1500, 3000, 65535)[number % 5]) for number in range(count)]
    near.send(sent)
    assert received(far, count) == sent
    assert far.receive_failures() == near.send_failures == 0


def test_the_longest_frame_that_fits_a_slot_and_the_next(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    sent = [frame(length, length) for length in range(1960, 2048)]
    near.send(sent)
    assert received(far, len(sent)) == sent


def test_offloads_pass_as_they_are(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    ip = bytes.fromhex("4500 0000 0000 4000 4006 0000 0a000001 0a000002")
    tcp = bytes.fromhex("0050 1f90 00000001 00000001 5010 ffff 1234 0000")
    ethernet = ETHERNET[:12] + bytes.fromhex("0800")
    # NEEDS_CSUM at the TCP header, for segments of 1000 bytes over IPv4, one short enough for a slot and one not.
    offload = struct.pack("=BBHHHH", 1, 1, 54, 1000, 34, 16)
    sent = [offload + ethernet + ip + tcp + bytes(length) for length in (1800, 60000)]
    near.send(sent)
    # How long the headers are is a hint, which the kernel gives as it likes.
    assert [one[:2] + one[4:] for one in received(far, 2)] == [one[:2] + one[4:] for one in sent]


def test_frames_are_in_order_all_around_the_ring(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    for first in range(0, 1000, 100):
        sent = [frame(number, 60) for number in range(first, first + 100)]
        near.send(sent)
        assert received(far, 100) == sent
    assert far.receive_failures() == 0


def test_frames_of_a_vlan_are_not_received(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    untagged = bytes(10) + ETHERNET + b"untagged"
    near.send([bytes(10) + ETHERNET[:12] + bytes.fromhex("8100 0064 88b5") + b"tagged", untagged])
    assert received(far, 1) == [untagged]
    assert far.receive_failures() == 0


def test_no_more_than_asked_for_is_received(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    near.send([bytes(10) + ETHERNET + b"x"] * 5)
    assert len(received(far, 2)) == 2
    assert len(received(far, 3)) == 3


def test_what_finds_no_room_is_counted(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    frames = 4000
    near.send([bytes(10) + ETHERNET + bytes(65000)] * frames)
    there = 0
    while got := far.receive(1000):
        there += len(got)
    assert 0 < there < frames
    assert far.receive_failures() + near.send_failures >= 1
    assert far.receive_failures() == far.receive_failures(), "reading the count does not reset it"


def test_a_full_ring_loses_the_latest_and_goes_on(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    sent = [frame(number, 60) for number in range(SLOTS + 100)]
    near.send(sent)
    wait_until(lambda: far.receive_failures() == 100, 10, "what finds no slot is lost")
    assert received(far, SLOTS) == sent[:SLOTS]
    assert far.receive(1) == []
    near.send(sent[:3])
    assert received(far, 3) == sent[:3]
    assert far.receive_failures() == 100


def test_a_super_packet_without_room_does_not_keep_the_others(
    host: Host, ports: tuple[CpuPort, CpuPort], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = ports
    far.close()
    monkeypatch.setattr(cpu_port, "_BUFFER", 256 << 10)
    far = host.run(lambda: CpuPort("far"))
    short, long = [frame(number, 60) for number in range(20)], [frame(number, 60_000) for number in range(20)]
    near.send([one for both in zip(short, long, strict=True) for one in both])
    there: list[bytes] = []

    def all_are_accounted_for() -> bool:
        there.extend(far.receive(3))
        return len(there) + far.receive_failures() == 40

    wait_until(all_are_accounted_for, 10, "a frame is neither received nor lost")
    assert [one for one in there if one in short] == short
    received_long = [one for one in there if one not in short]
    assert 0 < len(received_long) < 20
    assert received_long == [one for one in long if one in received_long]
    far.close()


def test_a_missing_interface_is_named(host: Host) -> None:
    with pytest.raises(Unavailable, match="CPU interface absent: No such device"):
        host.run(lambda: CpuPort("absent"))


def test_a_kernel_without_rings_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    # A block that is no multiple of the page size is refused, as a kernel that is short of memory would.
    monkeypatch.setattr(receive_ring, "_BLOCK", 2048)
    with pytest.raises(Unavailable, match="packet socket with a ring: Invalid argument"):
        host.run(lambda: CpuPort("lo"))


@pytest.mark.parametrize("command", ["ip link del near", "ip link set near down"])
def test_an_interface_that_goes_down_is_an_error(host: Host, ports: tuple[CpuPort, CpuPort], command: str) -> None:
    near, _ = ports
    host.shell(command)
    assert select.select([near], [], [], 10)[0], "nobody would look"
    with pytest.raises(Unavailable, match="CPU interface has failed: Network is down"):
        near.receive(1)


@pytest.mark.parametrize("count", [1, 2])
def test_sending_through_an_interface_that_is_gone_is_an_error(
    host: Host, ports: tuple[CpuPort, CpuPort], count: int
) -> None:
    near, _ = ports
    host.shell("ip link del near")
    with pytest.raises(Unavailable, match="CPU interface has failed"):
        near.send([bytes(10) + ETHERNET + b"x"] * count)


def test_closing_twice_is_closing_once(ports: tuple[CpuPort, CpuPort]) -> None:
    near, far = ports
    near.send([bytes(10) + ETHERNET + b"x"])
    far.close()
    far.close()
    near.send([bytes(10) + ETHERNET + b"x"])
    assert near.send_failures == 0
