"""The balancer's host as a switch: `p4model` runs the TNA program between its interfaces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import p4_tofino
from deploy.laboratory.namespace import LaboratoryError, Namespace, end, wait_until

GRPC = "127.0.0.1:50052"
PROGRAM = "l7lb"
CPU_INTERFACE = "cpu0"
_CPU_PEER, _CPU_PORT = "cpu1", 64
_START_TIMEOUT = 60.0
_LOG_LINES = 20


class Switch:
    """`p4model` on `host`: its port N is the Nth of `interfaces`, its CPU port leads to `CPU_INTERFACE`."""

    def __init__(self, host: Namespace, interfaces: Sequence[str], log: Path) -> None:
        self.log = log
        self._host = host
        self._ports = dict(enumerate(interfaces)) | {_CPU_PORT: _CPU_PEER}
        self._process: subprocess.Popen[str] | None = None

    def wire(self) -> None:
        """Make the pair of interfaces that the CPU port is."""
        self._host.ip(
            [
                f"link add {CPU_INTERFACE} type veth peer name {_CPU_PEER}",
                f"link set {CPU_INTERFACE} up",
                f"link set {_CPU_PEER} up",
            ]
        )

    def start(self, **sizes: int) -> None:
        """Start it with empty tables, and with other `sizes` (p4_tofino/sizes.p4); returns once it serves."""
        said = len(self._read_log())
        ports = [word for number, name in self._ports.items() for word in ("--port", f"{number}={name}")]
        defines = [word for name, value in sizes.items() for word in ("-D", f"{name}={value}")]
        argv = [
            *(sys.executable, "-m", "p4model.cli", str(p4_tofino.TOFINO), "-I", str(p4_tofino.DIRECTORY)),
            *("--name", PROGRAM, "--grpc", GRPC, *ports, *defines),
        ]
        self._process = self._host.popen(argv, log=self.log)
        wait_until(lambda: self._serves(said), _START_TIMEOUT, "p4model is ready")

    def stop(self) -> None:
        """End it; what was in its tables is gone."""
        if self._process:
            end(self._process)
            self._process = None

    def _serves(self, said: int) -> bool:
        if self._process is None or self._process.poll() is not None:
            tail = "\n".join(self._read_log()[said:].splitlines()[-_LOG_LINES:])
            raise LaboratoryError(f"p4model ended: {tail}")
        return "ready" in self._read_log()[said:].splitlines()

    def _read_log(self) -> str:
        return self.log.read_text() if self.log.exists() else ""
