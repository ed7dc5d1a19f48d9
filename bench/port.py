"""CPU time per packet through the CPU interface: `CpuPort` beside a socket that takes a system call per packet.

One end of a veth pair sends, the other receives, both in this process and in a network namespace of its own. What
the kernel does on the way is done within the sender's system call, so it is part of the figure of whoever sends. Time
is that of the thread, user and system, and both ways take turns, so that a busy machine measures the same as an idle
one.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pyroute2 import IPRoute, netns

from fastpath.cpu_port import CpuPort

BATCHES = (1, 4, 32)
LENGTHS = (60, 1460, 60_000)
"""Bytes of a packet with its IP header: an ACK, a full-sized packet, a GSO super-packet."""
_FRAMES = 4000
"""Of each measurement; fewer of those that are long."""
_SOL_PACKET, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 263, 15, 23
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_ETH_P_ALL = 3
_HEADERS = bytes.fromhex(
    "4500 0000 0000 4000 4006 0000 0a000001 0a000002 0050 1f90 00000001 00000001 5010 ffff 1234 0000"
)
_OFFLOAD = struct.Struct("=BBHHHH")
_SEGMENT = 1460


class Port(Protocol):
    """What is measured."""

    def receive(self, limit: int) -> list[bytes]:
        """Frames that have arrived."""

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames."""

    def close(self) -> None:
        """Close it."""


class PlainPort:
    """The same socket as `CpuPort`'s, with a recv(2) and a send(2) for every packet."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        for option in (_PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING):
            self._socket.setsockopt(_SOL_PACKET, option, 1)
        for option in (_SO_SNDBUFFORCE, _SO_RCVBUFFORCE):
            self._socket.setsockopt(socket.SOL_SOCKET, option, 64 << 20)
        self._socket.bind((interface, _ETH_P_ALL))
        self._buffer = memoryview(bytearray(10 + 14 + 65535))

    def receive(self, limit: int) -> list[bytes]:
        frames: list[bytes] = []
        receive, buffer = self._socket.recv_into, self._buffer
        for _ in range(limit):
            try:
                frames.append(bytes(buffer[: receive(buffer)]))
            except BlockingIOError:
                break
        return frames

    def send(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._socket.send(frame)

    def close(self) -> None:
        self._socket.close()


WAYS: dict[str, type[PlainPort | CpuPort]] = {"plain": PlainPort, "ring": CpuPort}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each way (default: 11)")
    arguments = parser.parse_args()
    print("us of CPU per packet: one system call per packet (plain) and CpuPort (ring), medians")
    print(
        f"{'bytes':>6} {'batch':>5}   {'plain: send':>11} {'receive':>8}"
        f"   {'ring: send':>10} {'receive':>8}   ring/plain"
    )
    with pair() as (near, far):
        for length in LENGTHS:
            for batch in BATCHES:
                sent, received = measure(near, far, length, batch, arguments.rounds)
                ratio = (sent["ring"] + received["ring"]) / (sent["plain"] + received["plain"])
                print(
                    f"{length:6} {batch:5}   {sent['plain']:11.2f} {received['plain']:8.2f}"
                    f"   {sent['ring']:10.2f} {received['ring']:8.2f}   {ratio:10.2f}",
                    flush=True,
                )
    return 0


@contextmanager
def pair() -> Iterator[tuple[str, str]]:
    """The names of both ends of a veth pair, in a network namespace that this thread is in meanwhile."""
    name = f"l7lb-port-{os.getpid()}"
    netns.pushns(name)
    try:
        with IPRoute() as ipr:
            ipr.link("add", ifname="near", kind="veth", peer={"ifname": "far"})
            for end in ("near", "far"):
                # Nothing else is to pass.
                Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6").write_text("1")
                ipr.link("set", index=ipr.link_lookup(ifname=end)[0], mtu=65535, state="up")
        yield "near", "far"
    finally:
        netns.popns()
        netns.remove(name)


def measure(near: str, far: str, length: int, batch: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """The median CPU time per packet, in microseconds, of sending and of receiving, by way."""
    frames = [frame(length, number) for number in range(batch)]
    sent: dict[str, list[float]] = {way: [] for way in WAYS}
    received: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, port in WAYS.items():
            spent = exchange(port(near), port(far), frames, max(_FRAMES // batch // (1 + length // 4096), 8))
            sent[way].append(spent[0])
            received[way].append(spent[1])
    return {way: statistics.median(sent[way]) for way in WAYS}, {way: statistics.median(received[way]) for way in WAYS}


def exchange(near: Port, far: Port, frames: Sequence[bytes], times: int) -> tuple[float, float]:
    """Send all frames and receive them, `times` times; returns microseconds per packet of either."""
    clock = time.thread_time_ns
    sending = receiving = 0
    for _ in range(times):
        begin = clock()
        near.send(frames)
        middle = clock()
        received = far.receive(256)
        end = clock()
        # A kernel thread has taken over the pair's queue: it is about to come.
        while len(received) < len(frames):
            received += far.receive(256)
        sending += middle - begin
        receiving += end - middle
    near.close()
    far.close()
    packets = times * len(frames)
    return sending / packets / 1000, receiving / packets / 1000


def frame(length: int, number: int) -> bytes:
    """A frame of `fastpath.frame` with a TCP packet of `length` bytes; a GSO super-packet if it is over a segment."""
    segmented = length > _SEGMENT + 40
    offload = _OFFLOAD.pack(segmented, segmented, 54 * segmented, _SEGMENT * segmented, 34 * segmented, 16 * segmented)
    ethernet = bytes.fromhex("024c00000001 024c00000002 0800")
    return b"".join((offload, ethernet, _HEADERS, number.to_bytes(4, "big"), bytes(length - len(_HEADERS) - 4)))


if __name__ == "__main__":
    sys.exit(main())
