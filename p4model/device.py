"""A device: a program, what it remembers, and who hears of its digests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from p4model.objects import ProgramInfo
from p4model.state import DeviceState

log = logging.getLogger(__name__)

Learned = tuple[str, tuple[int, ...]]
"""The name of a learn filter and the values of its members."""


class Result(Protocol):
    """What became of a frame."""

    @property
    def outputs(self) -> Sequence[tuple[int, bytes]]:
        """Frames that leave, each with its port."""

    @property
    def digests(self) -> Sequence[Learned]:
        """Digests that were raised, in order."""

    @property
    def findings(self) -> Sequence[str]:
        """Defects of the program that the frame brought to light, with their places."""


class Pipeline(Protocol):
    """Something that takes frames, such as a program with its state."""

    def process(self, port: int, frame: bytes) -> Result:
        """Take a frame that arrives at a port through ingress and egress."""


class Program(Protocol):
    """A compiled program."""

    @property
    def info(self) -> ProgramInfo:
        """What it shows to a control plane."""

    def pipeline(self, state: DeviceState) -> Pipeline:
        """The program working on a state."""


class Device:
    """A program on a state of its own, or on the given one."""

    def __init__(self, program: Program, state: DeviceState | None = None) -> None:
        self.info = program.info
        self.state = DeviceState(program.info) if state is None else state
        self._pipeline = program.pipeline(self.state)
        self._listeners: list[Callable[[Sequence[Learned]], None]] = []
        self._found: set[str] = set()

    def process(self, port: int, frame: bytes) -> Result:
        """Take a frame through the program; digests go to the listeners, each finding is logged once."""
        result = self._pipeline.process(port, frame)
        if result.digests:
            for listener in self._listeners:
                listener(result.digests)
        if result.findings:
            self._report(result.findings)
        return result

    def listen(self, listener: Callable[[Sequence[Learned]], None]) -> None:
        """Call `listener` with all digests of a frame, from whatever thread runs `process`."""
        self._listeners.append(listener)

    def ignore(self, listener: Callable[[Sequence[Learned]], None]) -> None:
        """Call `listener` no more."""
        self._listeners.remove(listener)

    def _report(self, findings: Sequence[str]) -> None:
        for finding in findings:
            if finding not in self._found:
                self._found.add(finding)
                log.warning("%s", finding)


@dataclass(frozen=True, slots=True)
class _Dropped:
    """What becomes of a frame where there is no program."""

    outputs: Sequence[tuple[int, bytes]] = ()
    digests: Sequence[Learned] = ()
    findings: Sequence[str] = ()


_DROPPED = _Dropped()


class Switch:
    """The place of a device: it may be empty, and then every frame is dropped; the device in it may be replaced."""

    def __init__(self, device: Device | None = None) -> None:
        self.device = device
        """The device that takes the frames from now on."""

    def process(self, port: int, frame: bytes) -> Result:
        """Take a frame through the device that is in place."""
        return _DROPPED if self.device is None else self.device.process(port, frame)
