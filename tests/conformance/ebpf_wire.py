"""Frames that BPF_PROG_TEST_RUN refuses: IP cut short within its header goes over real interfaces instead."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from fastpath.ebpf import links
from fastpath.verdict import Passed, Sent, Verdict
from slowpath.wire.ip import IPV4, IPV6
from tests.unit.ebpf.hosts import Host

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_ETHERNET_LENGTH = 14
_HEADERS_LENGTH = {IPV4.ether_type: 34, IPV6.ether_type: 54}
_LONGEST = 65535
_PATIENCE = 10.0


def is_too_short(frame: bytes) -> bool:
    """Whether BPF_PROG_TEST_RUN refuses `frame` (Linux 6.18)."""
    return len(frame) < _HEADERS_LENGTH.get(int.from_bytes(frame[12:_ETHERNET_LENGTH], "big"), 0)


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
                    received = peer.recv(_LONGEST)
                    # A kernel with IPv6 has something to say of its own, in whole packets.
                    if is_too_short(received):
                        return Sent(port, received)
            if dropped():
                return None
            if self._header_errors() > refused:
                return Passed()
            time.sleep(0.001)
        raise AssertionError(f"nothing has become of {frame.hex()}")

    def next(self, name: str) -> bytes:
        """The next frame with IPv4 that an interface has sent: the kernel has nothing to say in that."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with suppress(BlockingIOError):
                received = self._peers[name].recv(_LONGEST)
                if received[12:_ETHERNET_LENGTH] == IPV4.ether_type.to_bytes(2, "big"):
                    return received
            time.sleep(0.001)
        raise AssertionError(f"{name} has sent nothing")

    def _header_errors(self) -> int:
        """How many packets the kernel has refused for their IP header: how a short one shows that it got there."""
        return self._host.run(_refused_headers)

    def close(self) -> None:
        for peer in self._peers.values():
            peer.close()


def _raw_socket(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    raw.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    raw.bind((interface, _ETH_P_ALL))
    return raw


def _refused_headers() -> int:
    statistics = Path("/proc/thread-self/net")
    lines = (statistics / "snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    ipv6 = dict(line.split() for line in (statistics / "snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["InHdrErrors"]) + int(ipv6["Ip6InHdrErrors"])
