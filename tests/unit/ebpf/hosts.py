"""Hosts for tests: network namespaces without names, gone when the process is."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

_CLONE_NEWNET = 0x4000_0000
_LIBC = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


class Host:
    """A network namespace; `run` runs functions in it, several at a time if they are asked for by several threads."""

    def __init__(self) -> None:
        self._namespace = _in_thread(_new_namespace)
        self._executor = ThreadPoolExecutor(initializer=partial(_enter, self._namespace))
        self.shell("ip link set lo up")

    def run(self, function: Callable[[], T]) -> T:
        return self.submit(function).result()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        return self._executor.submit(function)

    def shell(self, *commands: str) -> str:
        """Run command lines; returns what they print."""
        return "".join(self.run(partial(_output, command)) for command in commands)

    def wire(self, name: str, other: Host, other_name: str) -> None:
        """Connect an interface to one of another host's."""
        there = f"/proc/{os.getpid()}/fd/{other._namespace}"
        self.shell(
            f"ip link add {name} type veth peer name {other_name} netns {there}",
            f"ip link set {name} up",
        )
        other.shell(f"ip link set {other_name} up")

    def close(self) -> None:
        self._executor.shutdown()
        os.close(self._namespace)


def _in_thread(function: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result()


def _new_namespace() -> int:
    """Take this thread to a new namespace; returns its descriptor."""
    _checked(_LIBC.unshare(_CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _enter(namespace: int) -> None:
    _checked(_LIBC.setns(namespace, _CLONE_NEWNET))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}")


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
