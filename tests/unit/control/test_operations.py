"""The operator's commands: what they ask, what they print, how they end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slowpath.control.cli import main
from slowpath.control.report import Change, ListenerRow, PoolRow, ProblemRow, Report
from slowpath.control.status import FastPathStatus, ListenerStatus, PoolStatus, ServerRow, ServerStatus, Status
from tests.unit.control.instances import answering

_SERVER = "10.2.0.2:80"


class Instance:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.report = Report(in_force=True)
        self.connections = [0]
        self.uptime = 10.0

    async def reload(self, arguments: dict[str, Any]) -> object:
        return self.report.to_json()

    async def operate(self, arguments: dict[str, Any]) -> object:
        self.asked.append(arguments)
        if arguments["server"] != _SERVER:
            raise ValueError(f"there is no server {arguments['server']} in any pool")
        row = ServerRow(_SERVER, up=True, draining=True, weight=3, connections=self.connections[0], pool="web")
        return [row.to_json()]

    async def status(self, arguments: dict[str, Any]) -> object:
        """One second and one megabyte later than the last time."""
        self.uptime += 1.0
        open_ = self.connections.pop(0) if len(self.connections) > 1 else self.connections[0]
        seconds = int(self.uptime)
        server = ServerStatus(_SERVER, True, True, 3, open_, bytes_to_client=seconds * 1_000_000)
        return Status(
            version="1.2.3",
            uptime_seconds=self.uptime,
            fastpath=FastPathStatus("ebpf", 17, 4096),
            connections=open_,
            listeners=(ListenerStatus("web", "10.1.0.100:80", 50 * seconds, 200 * seconds),),
            pools=(PoolStatus("web", "maglev", (server,)),),
        ).to_json()


@pytest.fixture
def instance() -> Instance:
    return Instance()


@pytest.fixture
def admin(instance: Instance, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "admin"
    handlers = {"reload": instance.reload, "status": instance.status}
    handlers |= dict.fromkeys(("drain", "undrain", "weight"), instance.operate)
    with answering(path, handlers):
        yield str(path)


def test_a_reload_that_is_in_force(instance: Instance, admin: str, capsys: pytest.CaptureFixture[str]) -> None:
    instance.report = Report(
        in_force=True,
        listeners=(ListenerRow("web", "10.1.0.100:80", Change.UNCHANGED),),
        pools=(PoolRow("web", Change.CHANGED, added=("10.2.0.4:80",), removed=("10.2.0.3:80",)),),
    )
    assert main(["reload", "--admin", admin]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "listener web on 10.1.0.100:80: unchanged",
        "pool web: changed +10.2.0.4:80 -10.2.0.3:80",
        "in force",
    ]
    assert main(["reload", "--admin", admin, "--json"]) == 0
    assert Report.from_json(json.loads(capsys.readouterr().out)) == instance.report


@pytest.mark.parametrize(
    ("report", "lines"),
    [
        (
            Report(in_force=False, problems=(ProblemRow("l7lb.yaml", 3, "pools.web", "is wrong"),)),
            ["l7lb.yaml:3: pools.web: is wrong"],
        ),
        (
            Report(
                in_force=False,
                error="listener more: no room",
                listeners=(
                    ListenerRow("web", "10.1.0.100:80", Change.CHANGED),
                    ListenerRow("more", "10.1.0.101:80", Change.REFUSED, "no room"),
                ),
            ),
            ["listener web on 10.1.0.100:80: changed", "listener more on 10.1.0.101:80: refused: no room"],
        ),
        (Report(in_force=False, error="the switch is away"), ["the switch is away"]),
    ],
    ids=["wrong", "refused", "another reason"],
)
def test_a_reload_that_is_not(
    instance: Instance, admin: str, capsys: pytest.CaptureFixture[str], report: Report, lines: list[str]
) -> None:
    instance.report = report
    assert main(["reload", "--admin", admin]) == 1
    last = "not in force: the old configuration stays as it was"
    assert capsys.readouterr().out.splitlines() == [*lines, last]
    assert main(["reload", "--admin", admin, "--json"]) == 1


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["drain", _SERVER], {"server": _SERVER, "pool": None}),
        (["undrain", _SERVER, "--pool", "web"], {"server": _SERVER, "pool": "web"}),
        (["weight", _SERVER, "7"], {"server": _SERVER, "pool": None, "weight": 7}),
        (["weight", _SERVER, "configured"], {"server": _SERVER, "pool": None, "weight": None}),
    ],
)
def test_what_is_asked_for_a_server(
    instance: Instance, admin: str, capsys: pytest.CaptureFixture[str], arguments: list[str], asked: dict[str, Any]
) -> None:
    assert main([*arguments, "--admin", admin]) == 0
    assert instance.asked == [asked]
    assert capsys.readouterr().out == f"{_SERVER} in pool web: draining, weight 3 (configured: 1), 0 connections\n"
    assert main([*arguments, "--admin", admin, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["address"] == _SERVER


def test_waiting_for_a_drain(
    instance: Instance, admin: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slowpath.control.operations._LOOK", 0.001)
    instance.connections = [2, 1, 0]
    assert main(["drain", _SERVER, "--wait", "--admin", admin]) == 0
    assert instance.connections == [0]
    assert capsys.readouterr().out.endswith(", 0 connections\n")


def test_a_refusal(admin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drain", "10.9.9.9:80", "--admin", admin]) == 1
    assert capsys.readouterr().err == "l7lb: there is no server 10.9.9.9:80 in any pool\n"


@pytest.mark.parametrize(
    "arguments", [["weight", _SERVER, "1001"], ["weight", _SERVER, "-1"], ["top", "--interval", "0"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2


def test_rates_for_programs(admin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--json", "--interval", "0.1", "--admin", admin]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["seconds"] == 1.0
    assert seen["listeners"] == [
        {"name": "web", "address": "10.1.0.100:80", "connections_per_second": 50.0, "requests_per_second": 200.0}
    ]
    [server] = seen["servers"]
    assert (server["address"], server["bytes_per_second_to_client"]) == (_SERVER, 1_000_000.0)
    assert (server["bytes_per_second_to_server"], seen["splices"]) == (0.0, 17)


def test_rates_for_people_without_a_terminal(admin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--interval", "0.1", "--admin", admin]) == 0
    out = capsys.readouterr().out
    assert "50.0 new a second; fast path ebpf: 17 of 4096 splices" in out
    assert "1.0 MB/s" in out


def test_a_live_table_ends_with_q(admin: str) -> None:
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 160))
    argv = [sys.executable, "-m", "slowpath.control.cli", "top", "--interval", "0.1", "--admin", admin]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as watching:
        os.close(terminal)
        seen = b""
        while b"1.0 MB/s" not in seen:
            seen += os.read(master, 65536)
        os.write(master, b"xq")
        while True:
            try:
                os.read(master, 65536)
            except OSError:  # the terminal is nobody's any more
                break
        assert watching.wait(10) == 0
    os.close(master)
