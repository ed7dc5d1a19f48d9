"""Ports on interfaces: frames arrive complete, and leave as they are."""

from __future__ import annotations

import select
import socket
import struct
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4model.offloads import HEADER, NO_OFFLOADS, SegmentationOffload, complete
from p4model.ports import Port, PortError
from tests.unit.ebpf.hosts import Host

FRAME = bytes.fromhex("024c00000001 024c00000002 88b5") + bytes(range(50))


def received(port: Port, count: int) -> list[bytes]:
    frames: list[bytes] = []
    while len(frames) < count:
        assert select.select([port], [], [], 10)[0], "nothing has arrived"
        frames += port.receive(count - len(frames))
    return frames


def test_frames_pass_whole_and_do_not_come_back(host: Host) -> None:
    near, far = (host.run(partial(Port, number, name)) for number, name in enumerate(("near", "far")))
    sent = [FRAME[:14], FRAME, FRAME * 20]
    for frame in sent:
        near.send(frame)
    assert received(far, 3) == sent
    assert not list(near.receive(10))
    far.close()
    near.close()


@pytest.mark.parametrize("tag", ["8100 0064", "8100 e001", "88a8 0064"])
def test_vlan_tags_are_part_of_frames(host: Host, tag: str) -> None:
    near, far = (host.run(partial(Port, number, name)) for number, name in enumerate(("near", "far")))
    tagged = FRAME[:12] + bytes.fromhex(tag) + FRAME[12:]
    for frame in (tagged, FRAME):
        near.send(frame)
    assert received(far, 2) == [tagged, FRAME]
    far.close()
    near.close()


def test_pending_checksums_are_completed(host: Host) -> None:
    host.shell(
        "ip addr add 10.0.0.1/24 dev far",
        "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev far",
    )
    near = host.run(lambda: Port(1, "near"))
    for payload in (b"odd", b"even"):
        with host.run(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
            sender.sendto(payload, ("10.0.0.2", 9))
        (frame,) = received(near, 1)
        segment = frame[34:]
        pseudo = frame[26:34] + struct.pack("!HH", 17, len(segment))
        assert segment[8:] == payload
        assert _sum(pseudo + segment) == 0xFFFF
    near.close()


def test_frames_to_be_segmented_are_refused(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    near = host.run(lambda: Port(1, "near"))
    far = host.run(lambda: Port(2, "far"))
    super_packet = bytes.fromhex("020000000002 020000000001 0800") + _ipv4_tcp(4000)
    header = HEADER.pack(1, 1, 54, 1400, 34, 16)
    for _ in range(2):
        far._socket.send(header + super_packet)
    far.send(FRAME)
    assert received(near, 1) == [FRAME]
    assert near.refused == 2
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("port 1 (near) refused a frame to be segmented (")
    near.close()
    far.close()


def test_what_cannot_be_sent_is_counted(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    near = host.run(lambda: Port(1, "near"))
    for _ in range(2):
        near.send(bytes(3000))
    assert near.unsent == 2
    assert [record.getMessage() for record in caplog.records] == [
        "port 1 (near) lost a frame of 3000 bytes: Message too long"
    ]
    near.close()


def test_a_missing_interface(host: Host) -> None:
    with pytest.raises(PortError, match="port 3: cannot open the interface absent: "):
        host.run(lambda: Port(3, "absent"))


@given(st.binary(min_size=4, max_size=80), st.integers(0, 40), st.data())
def test_a_completed_checksum_sums_up(frame: bytes, start: int, data: st.DataObject) -> None:
    """With the pseudo-header's sum in the field, everything from `start` sums to ones."""
    start = min(start, len(frame) - 2)
    offset = data.draw(st.integers(0, (len(frame) - start - 2) // 2)) * 2
    done = complete(memoryview(HEADER.pack(1, 0, 0, 0, start, offset) + frame))
    place = start + offset
    assert done[:place] + done[place + 2 :] == frame[:place] + frame[place + 2 :]
    pseudo = frame[place : place + 2]
    assert _sum(done[start:] + bytes(len(done[start:]) % 2) + pseudo) in (0xFFFF, 0)
    assert done[place : place + 2] != b"\0\0"


def test_complete_frames_stay() -> None:
    assert complete(memoryview(NO_OFFLOADS + FRAME)) == FRAME
    beyond = HEADER.pack(1, 0, 0, 0, len(FRAME), 0)
    assert complete(memoryview(beyond + FRAME)) == FRAME
    with pytest.raises(SegmentationOffload):
        complete(memoryview(HEADER.pack(0, 3, 0, 0, 0, 0) + FRAME))


def _sum(data: bytes) -> int:
    """The ones' complement sum."""
    data += bytes(len(data) % 2)
    total: int = sum(word for (word,) in struct.iter_unpack("!H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _ipv4_tcp(payload: int) -> bytes:
    ipv4 = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + payload, 0, 0, 64, 6, 0, b"\x0a\0\0\x01", b"\x0a\0\0\x02")
    tcp = struct.pack("!HHIIBBHHH", 1, 2, 0, 0, 0x50, 0x10, 0, 0, 0)
    return ipv4 + tcp + bytes(payload)
