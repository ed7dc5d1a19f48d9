"""A device in process: digests to listeners, findings to the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from p4model.device import Device, Learned, Switch
from p4model.objects import ProgramInfo
from p4model.state import DeviceState


@dataclass
class _Result:
    outputs: list[tuple[int, bytes]] = field(default_factory=list)
    digests: list[Learned] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class _Program:
    """Gives what it is told to."""

    info = ProgramInfo((), (), (), ())

    def __init__(self) -> None:
        self.result = _Result()

    def pipeline(self, state: DeviceState) -> _Program:
        return self

    def process(self, port: int, frame: bytes) -> _Result:
        return self.result


def test_digests_go_to_listeners() -> None:
    program = _Program()
    device = Device(program)
    heard: list[Sequence[Learned]] = []
    device.listen(heard.append)
    device.process(1, b"")
    program.result.digests = [("d", (1,)), ("d", (2,))]
    assert device.process(1, b"") is program.result
    device.ignore(heard.append)
    device.process(1, b"")
    assert heard == [[("d", (1,)), ("d", (2,))]]


def test_findings_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    program = _Program()
    device = Device(program)
    program.result.findings = ["a.p4:1:2: read of hdr.tcp", "a.p4:9:1: read of meta.x"]
    with caplog.at_level(logging.WARNING):
        device.process(1, b"")
        device.process(1, b"")
    assert [record.getMessage() for record in caplog.records] == program.result.findings


def test_a_switch_drops_what_comes_without_a_device() -> None:
    switch = Switch()
    dropped = switch.process(1, b"frame")
    assert (dropped.outputs, dropped.digests, dropped.findings) == ((), (), ())


def test_a_switch_may_get_another_device() -> None:
    programs = _Program(), _Program()
    switch = Switch(Device(programs[0]))
    assert switch.process(1, b"") is programs[0].result
    switch.device = Device(programs[1])
    assert switch.process(1, b"") is programs[1].result
