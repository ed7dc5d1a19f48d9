"""The balancer's host as a switch: a process that runs the P4 program between its interfaces."""

from __future__ import annotations

import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from deploy.laboratory.namespace import LaboratoryError, Namespace, end, wait_until

PROGRAM = "l7lb"
CPU_INTERFACE = "cpu0"
_CPU_PEER, _CPU_PORT = "cpu1", 64
_START_TIMEOUT = 60.0
_LOG_LINES = 20


class Switch(ABC):
    """A switch on `host`: its port N is the Nth of `interfaces`, its CPU port leads to `CPU_INTERFACE`.

    Its log and its other files are in `directory`.
    """

    executable: ClassVar[str]
    """What runs: its log has that name as well."""
    grpc: ClassVar[str]
    """Where its control plane is served, as ADDRESS:PORT of the host."""
    ready: ClassVar[str]
    """The beginning of the line that it prints once it serves."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Commands that do not come with L7LB."""

    def __init__(self, host: Namespace, interfaces: Sequence[str], directory: Path) -> None:
        self.log = directory / f"{self.executable}.log"
        self._host = host
        self._directory = directory
        self._ports = dict(enumerate(interfaces)) | {_CPU_PORT: _CPU_PEER}
        self._process: subprocess.Popen[str] | None = None

    @classmethod
    def missing(cls) -> list[str]:
        """Those of `needs` that are not on PATH."""
        return [command for command in cls.needs if shutil.which(command) is None]

    @abstractmethod
    def control_plane(self) -> dict[str, object]:
        """What it is and how it is driven, as keys of the section `fastpath` of an L7LB configuration."""

    @abstractmethod
    def _prepare(self, defines: Sequence[str]) -> list[str]:
        """The command that runs it, with a program compiled with `defines`: `-D NAME=VALUE` as two words each."""

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
        command = self._prepare([word for name, value in sizes.items() for word in ("-D", f"{name}={value}")])
        self._process = self._host.popen(command, log=self.log)
        wait_until(lambda: self._serves(said), _START_TIMEOUT, f"{self.executable} is ready")

    def stop(self) -> None:
        """End it; what was in its tables is gone."""
        if self._process:
            end(self._process)
            self._process = None

    def _serves(self, said: int) -> bool:
        if self._process is None or self._process.poll() is not None:
            tail = "\n".join(self._read_log()[said:].splitlines()[-_LOG_LINES:])
            raise LaboratoryError(f"{self.executable} ended: {tail}")
        return any(line.startswith(self.ready) for line in self._read_log()[said:].splitlines())

    def _read_log(self) -> str:
        return self.log.read_text() if self.log.exists() else ""
