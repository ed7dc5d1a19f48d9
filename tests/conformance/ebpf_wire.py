"""Frames that BPF_PROG_TEST_RUN refuses: IPv4 cut short within its header goes over real interfaces instead."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from fastpath.ebpf import links
from fastpath.verdict import Passed, Sent, Verdict
from tests.unit.ebpf.hosts import Host

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_ETHERNET_LENGTH, _HEADERS_LENGTH = 14, 34
_IPV4 = b"\x08\x00"
_PATIENCE = 10.0


def is_too_short(frame: bytes) -> bool:
    """Whether BPF_PROG_TEST_RUN refuses `frame` (Linux 6.18)."""
    return len(frame) < _HEADERS_LENGTH and frame[12:_ETHERNET_LENGTH] == _IPV4


class Wire:
    """Programs attached to interfaces (the ports first), and a raw socket on the peer of each, `peer-` and its name."""

    def __init__(self, host: Host, programs: Mapping[str, int]) -> None:
        self._host = host
        by_ifindex = {host.run(partial(socket.if_nametoindex, name)): fd for name, fd in programs.items()}
        host.run(lambda: links.attach("wire", by_ifindex, []))
        self._peers = {name: host.run(partial(_raw_socket, f"peer-{name}")) for name in programs}

    def give(self, name: str, frame: bytes, dropped: Callable[[], bool]) -> Verdict | None:
        """Let `frame` arrive at an interface; what became of it, or None if the program says that it dropped it."""
        refused = self._header_errors()
        self._peers[name].send(frame)
        end = time.monotonic() + _PATIENCE
        # A softirq does the work, which the sender does not always run itself.
        while time.monotonic() < end:
            for port, peer in enumerate(self._peers.values()):
                with suppress(BlockingIOError):
                    return Sent(port, peer.recv(len(frame)))
            if dropped():
                return None
            if self._header_errors() > refused:
                return Passed()
            time.sleep(0.001)
        raise AssertionError(f"nothing has become of {frame.hex()}")

    def _header_errors(self) -> int:
        """How many packets the kernel has refused for their IPv4 header: how a short one shows that it got there."""
        names, values = self._host.run(_ip_statistics)
        return int(dict(zip(names, values, strict=True))["InHdrErrors"])

    def close(self) -> None:
        for peer in self._peers.values():
            peer.close()


def _raw_socket(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    raw.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    raw.bind((interface, _ETH_P_ALL))
    return raw


def _ip_statistics() -> list[list[str]]:
    lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    return [line.split() for line in lines if line.startswith("Ip:")]
