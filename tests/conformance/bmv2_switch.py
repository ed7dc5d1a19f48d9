"""The v1model program on bmv2 itself: `p4c` compiles it, `simple_switch_grpc` runs it between virtual interfaces."""

from __future__ import annotations

import asyncio
import select
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from deploy.laboratory.namespace import Namespace, sh, wait_until
from deploy.laboratory.switch import CPU_INTERFACE
from deploy.laboratory.switches import Bmv2
from fastpath.bmv2.driver import ENDED, P4RuntimeDriver
from fastpath.frame import Action
from fastpath.pipeline.rows import OUTCOMES
from fastpath.records import Drop
from p4rt import Pipeline, Session
from slowpath.wire import tcp
from tests.conformance.p4_target import FIRST_DROP, SMALL
from tests.conformance.target import PORTS
from tests.conformance.v1model_switch import CPU_PORT
from tests.conformance.wire import Wire
from tests.unit.ebpf.hosts import unique

_PATIENCE = 10.0
_LOOK = 0.002
"""Seconds between two looks at the counters while nothing leaves the switch."""
_MTU = 2000
"""Room for a tunnel's headers."""
_FLAGS = 14 + 20 + 13
"""Where the flags of TCP are in a frame that is translated."""


class _Process(Bmv2):
    """Served on a UNIX socket, which can be reached from outside of its namespace."""

    def __init__(self, host: Namespace, interfaces: Sequence[str], directory: Path) -> None:
        super().__init__(host, interfaces, directory)
        self.address = f"unix:{directory}/p4runtime"

    def _command(self) -> list[str]:
        return [self.address if word == self.grpc else word for word in super()._command()]

    @property
    def pipeline(self) -> Pipeline:
        """The compiled program."""
        return Pipeline.load(self._directory / self.p4info, self._directory / self.device_config)


class Bmv2Switch:
    """A Switch; needs root."""

    cpu_port = CPU_PORT

    def __init__(self) -> None:
        self.reports = 0
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            namespace = Namespace(unique("-conformance"))
            sh(["ip", "netns", "add", namespace.name])
            stack.callback(sh, ["ip", "netns", "delete", namespace.name])
            namespace.sysctl("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            self._process = _Process(namespace, [f"port{port}" for port in PORTS], directory)
            self._process.wire()
            peers = {port: f"peer{port}" for port in PORTS}
            for port, peer in peers.items():
                namespace.ip([f"link add port{port} mtu {_MTU} type veth peer name {peer} mtu {_MTU}"])
                namespace.ip([f"link set {end} up" for end in (f"port{port}", peer)])
            stack.callback(self._process.stop)
            wait_until(lambda: _all_up(namespace), _PATIENCE, "the interfaces are up")
            self._process.start(**{name: int(size) for name, size in SMALL.items()})
            interfaces = {**peers, CPU_PORT: CPU_INTERFACE}
            self._wires = {
                port: stack.enter_context(closing(Wire(namespace, interface))) for port, interface in interfaces.items()
            }
            self._resources = stack.pop_all()

    async def connect(self, idle_after: float) -> P4RuntimeDriver:
        session = await Session.open(self._process.address, self._process.pipeline, digests=(ENDED,))
        self._loop = asyncio.get_running_loop()
        self._driver = P4RuntimeDriver(session, idle_after)
        return self._driver

    def process(self, port: int, frame: bytes) -> Sequence[tuple[int, bytes]]:
        dropped = self.dropped()
        self._wires[port].send(frame)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            readable, _, _ = select.select(self._wires.values(), [], [], _LOOK)
            if readable:
                outputs = [(out, wire.receive()) for out, wire in self._wires.items() if wire in readable]
                self.reports += self._reports(port, frame, outputs)
                return outputs
            if self.dropped() != dropped:
                return []
        raise AssertionError(f"within {_PATIENCE} s the frame neither left nor was it counted as dropped")

    def dropped(self) -> Mapping[Drop, int]:
        counting = self._driver.count(OUTCOMES, [FIRST_DROP + drop for drop in Drop])
        counts = asyncio.run_coroutine_threadsafe(counting, self._loop).result(_PATIENCE)
        return {drop: count.packets for drop, count in zip(Drop, counts, strict=True)}

    async def close(self) -> None:
        self._resources.close()

    def _reports(self, port: int, frame: bytes, outputs: Sequence[tuple[int, bytes]]) -> int:
        """How many ends the program has to report: frames that were translated, and so sent, with FIN or RST."""
        translates = port != CPU_PORT or frame[1] == Action.TRANSLATE
        return sum(translates and out != CPU_PORT and frame[_FLAGS] & (tcp.FIN | tcp.RST) != 0 for out, _ in outputs)


def _all_up(namespace: Namespace) -> bool:
    """Whether every pair of interfaces has seen its carrier; until then the kernel drops what is sent."""
    states = namespace.run(["ip", "-brief", "link", "show", "type", "veth"]).splitlines()
    return all(line.split()[1] == "UP" for line in states)
