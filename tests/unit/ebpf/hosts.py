"""Hosts for tests: network namespaces without names, each lived in by a thread, gone when the process is."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

_CLONE_NEWNET = 0x4000_0000

T = TypeVar("T")


class Host:
    """A network namespace; `run` runs functions in it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1)
        self.thread: int = self._executor.submit(self._enter).result()
        self.shell("ip link set lo up")

    def run(self, function: Callable[[], T]) -> T:
        return self._executor.submit(function).result()

    def shell(self, *commands: str) -> str:
        """Run command lines; returns what they print."""
        return "".join(self.run(partial(_output, command)) for command in commands)

    def wire(self, name: str, other: Host, other_name: str) -> None:
        """Connect an interface to one of another host's."""
        self.shell(
            f"ip link add {name} type veth peer name {other_name} netns {other.thread}",
            f"ip link set {name} up",
        )
        other.shell(f"ip link set {other_name} up")

    def close(self) -> None:
        self._executor.shutdown()

    @staticmethod
    def _enter() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot create a network namespace")
        return threading.get_native_id()


def _output(command: str) -> str:
    result = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{command}: {result.stderr}")
    return result.stdout


def unique(suffix: str = "") -> str:
    """A name for an instance that no other run has."""
    return f"t{os.getpid()}{suffix}"


class Laboratory:
    """A client and a server in networks of their own, and a balancer that has an interface in both and a VIP.

    The balancer's interfaces are `client`, with 10.1.0.1, and `server`, with 10.2.0.1.
    """

    interfaces = ("client", "server")

    def __init__(self) -> None:
        self.client, self.balancer, self.server = Host(), Host(), Host()
        self.balancer.wire("client", self.client, "eth0")
        self.balancer.wire("server", self.server, "eth0")
        self.balancer.shell(
            "ip addr add 10.1.0.1/24 dev client",
            "ip addr add 10.2.0.1/24 dev server",
            "ip addr add 10.1.0.100/32 dev lo",
        )
        self.client.shell("ip addr add 10.1.0.2/24 dev eth0", "ip route add default via 10.1.0.1")
        self.server.shell("ip addr add 10.2.0.2/24 dev eth0", "ip route add default via 10.2.0.1")

    def close(self) -> None:
        for host in (self.client, self.balancer, self.server):
            host.close()
