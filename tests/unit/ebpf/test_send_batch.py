"""Many frames with one system call, on a pair of sockets in the place of a packet socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fastpath.send_batch import SendBatch

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A nonblocking sender, and who receives what it sends."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sender.setblocking(False)
    receiver.setblocking(False)
    with sender, receiver:
        yield sender, receiver


def waiting(receiver: socket.socket) -> list[bytes]:
    """All that has arrived."""
    frames: list[bytes] = []
    while True:
        try:
            frames.append(receiver.recv(65536))
        except BlockingIOError:
            return frames


def test_frames_go_whole_and_in_order(pair: Pair) -> None:
    sender, receiver = pair
    batch = SendBatch(sender)
    for count in (0, 1, 2, 64, 65, 130):
        frames = [number.to_bytes(2, "big") * (number + 1) for number in range(count)]
        sent = 0
        while sent < count:
            assert batch.send(frames[sent : sent + 70]) == 0
            assert waiting(receiver) == frames[sent : sent + 70]
            sent += 70


def test_frames_that_find_no_room_are_counted(pair: Pair) -> None:
    sender, receiver = pair
    batch = SendBatch(sender)
    frames = [number.to_bytes(2, "big") * 2000 for number in range(1000)]
    failures = batch.send(frames)
    there = waiting(receiver)
    assert 0 < failures < 1000
    assert there == frames[: 1000 - failures]
    assert batch.send(frames[:2]) == 0
    assert waiting(receiver) == frames[:2]


@pytest.mark.parametrize("count", [1, 2])
def test_another_failure_is_raised(pair: Pair, count: int) -> None:
    sender, receiver = pair
    receiver.close()
    with pytest.raises(BrokenPipeError):
        SendBatch(sender).send([b"x"] * count)
