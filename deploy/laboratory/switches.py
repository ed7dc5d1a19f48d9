"""The switches in software that a laboratory can have in the balancer's place."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import p4_tofino
from deploy.laboratory.namespace import sh
from deploy.laboratory.switch import PROGRAM, Switch

_COMPILE_TIMEOUT = 120.0


class TnaModel(Switch):
    """`p4model` with the TNA program, behind BfRt."""

    executable = "p4model"
    grpc = "127.0.0.1:50052"
    ready = "ready"

    def control_plane(self) -> dict[str, object]:
        """By the name of the program."""
        return {"kind": "model", "grpc": self.grpc, "program": PROGRAM}

    def _prepare(self, defines: Sequence[str]) -> list[str]:
        return [
            *(sys.executable, "-m", "p4model.cli", str(p4_tofino.TOFINO), "-I", str(p4_tofino.DIRECTORY), *defines),
            *("--name", PROGRAM, "--grpc", self.grpc, *_options("--port", "=", self._ports)),
        ]


class P4RuntimeSwitch(Switch):
    """A switch that starts without a program; its controller brings the v1model program, compiled for it."""

    grpc = "127.0.0.1:9559"
    device: ClassVar = 0
    p4info: ClassVar = f"{PROGRAM}.p4info.txtpb"
    device_config: ClassVar[str]
    """The compiled program's file."""
    _compiled: Sequence[str] | None = None
    """The options of the last compilation."""

    def control_plane(self) -> dict[str, object]:
        """By what the compiler wrote."""
        return {
            "kind": "bmv2",
            "grpc": self.grpc,
            "device": self.device,
            "p4info": str(self._directory / self.p4info),
            "device_config": str(self._directory / self.device_config),
        }

    def _prepare(self, defines: Sequence[str]) -> list[str]:
        if self._compiled != defines:
            self._compile(defines)
            self._compiled = defines
        return self._command()

    def _compile(self, defines: Sequence[str]) -> None:
        options = [*defines, "-I", str(p4_tofino.DIRECTORY), "-o", str(self._directory)]
        sh([*self._compiler(), *options, str(p4_tofino.V1MODEL)], timeout=_COMPILE_TIMEOUT)

    @abstractmethod
    def _compiler(self) -> list[str]:
        """The command that compiles, up to the options that every compiler has."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command that runs the switch."""


class V1Model(P4RuntimeSwitch):
    """`p4model` behind P4Runtime."""

    executable = "p4model"
    ready = "ready"
    device_config = f"{PROGRAM}.p4i"

    def _compiler(self) -> list[str]:
        return [sys.executable, "-m", "p4model.compiler"]

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "p4model.cli", "--no-p4", "--device-id", str(self.device)),
            *("--grpc", self.grpc, *_options("--port", "=", self._ports)),
        ]


class Bmv2(P4RuntimeSwitch):
    """P4.org's `simple_switch_grpc`, and `p4c` for its program."""

    executable = "simple_switch_grpc"
    ready = "Server listening on"
    needs = ("p4c", executable)
    device_config = f"{PROGRAM}.json"

    def _compiler(self) -> list[str]:
        return ["p4c", "--target", "bmv2", "--arch", "v1model", "--p4runtime-files", str(self._directory / self.p4info)]

    def _command(self) -> list[str]:
        return [
            # Its output is a file, so that it would keep what it says to itself.
            *("stdbuf", "-oL", self.executable),
            *("--no-p4", "--device-id", str(self.device), *_options("-i", "@", self._ports)),
            *("--", "--grpc-server-addr", self.grpc),
        ]


SWITCHES: dict[str, type[Switch]] = {"model": TnaModel, "v1model": V1Model, "bmv2": Bmv2}
"""By the name of the fast path that a laboratory is asked for."""


def _options(option: str, separator: str, ports: dict[int, str]) -> Iterator[str]:
    for number, interface in ports.items():
        yield from (option, f"{number}{separator}{interface}")
