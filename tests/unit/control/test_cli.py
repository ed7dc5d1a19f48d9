"""The command line: exit status, output for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slowpath.control.cli import main
from slowpath.control.status import (
    ConnectionList,
    ConnectionRow,
    FastPathStatus,
    ListenerStatus,
    PoolStatus,
    ServerStatus,
    Status,
)
from slowpath.control.tables import duration
from tests.unit.control.instances import answering

_COMMANDS = ("run", "check", "status", "connections", "reload", "drain", "undrain", "weight", "top", "demo")

CONFIG = """\
fastpath: {{interfaces: [eth0]}}
admin: {admin}
listeners:
  web: {{address: "10.1.0.100:80", default: web}}
pools:
  web: {{servers: ["10.2.0.2:80", "10.2.0.3:80"]}}
"""

STATUS = Status(
    version="1.2.3",
    uptime_seconds=3723.0,
    fastpath=FastPathStatus("ebpf", 17, 4096),
    connections=18,
    listeners=(ListenerStatus("web", "10.1.0.100:80", 250),),
    pools=(
        PoolStatus(
            "web",
            "maglev",
            (
                ServerStatus("10.2.0.2:80", up=True, draining=False, weight=1, connections=18),
                ServerStatus(
                    "10.2.0.3:80",
                    up=False,
                    draining=False,
                    weight=2,
                    connections=0,
                    why="[b]refused[/b]",
                    configured_weight=2,
                ),
                ServerStatus("10.2.0.4:80", up=True, draining=True, weight=3, connections=1, configured_weight=5),
            ),
        ),
    ),
)
ROW = ConnectionRow("10.1.0.1:40000", "10.1.0.100:80", "10.2.0.2:80", "web", "spliced", 61.0)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "l7lb.yaml"
    file.write_text(CONFIG.format(admin=tmp_path / "admin"))
    return file


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """An admin socket with a fixed status and one connection behind it."""

    async def status(_: dict[str, Any]) -> object:
        return STATUS.to_json()

    async def connections(_: dict[str, Any]) -> object:
        return ConnectionList(3, (ROW,)).to_json()

    with answering(tmp_path / "admin", {"status": status, "connections": connections}):
        yield tmp_path / "admin"


def test_check_of_a_right_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(config)]) == 0
    assert capsys.readouterr().out == f"{config} is right; listeners: 1, pools: 1, servers: 2\n"
    assert main(["check", "--json", str(config)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "problems": []}


def test_check_of_a_wrong_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("default: web", "default: wbe"))
    message = "there is no pool 'wbe': did you mean 'web'?"
    assert main(["check", str(config)]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"{config}:4: listeners.web.default: {message}\n")
    assert main(["check", "--json", str(config)]) == 1
    problem = {"file": str(config), "line": 4, "path": "listeners.web.default", "message": message}
    assert json.loads(capsys.readouterr().out) == {"ok": False, "problems": [problem]}


def test_run_of_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"{tmp_path}/none:1: cannot be read: No such file or directory\n"


def test_status_for_people(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--admin", str(running)]) == 0
    out = capsys.readouterr().out
    assert "l7lb 1.2.3, up for 1h 2m, 18 connections" in out
    assert "fast path ebpf: 17 of 4096 splices" in out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    assert ["web", "10.1.0.100:80", "250"] in rows
    assert ["web", "maglev", "10.2.0.2:80", "up", "1", "18", ""] in rows
    assert ["", "", "10.2.0.3:80", "down", "2", "0", "[b]refused[/b]"] in rows
    assert ["", "", "10.2.0.4:80", "draining", "3 (configured: 5)", "1", ""] in rows


def test_status_for_programs_by_the_configuration(
    running: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--json", "--config", str(config)]) == 0
    assert Status.from_json(json.loads(capsys.readouterr().out)) == STATUS


def test_connections(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connections", "--admin", str(running)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "10.1.0.1:40000" in line)
    assert line.split() == f"│ {ROW.client} │ {ROW.vip} │ {ROW.server} │ web │ spliced │ 1m 1s │".split()
    main(["connections", "--admin", str(running)])
    assert capsys.readouterr().err == "2 of 3 connections are left out: see --limit\n"
    assert main(["connections", "--json", "--admin", str(running)]) == 0
    assert json.loads(capsys.readouterr().out) == [ROW.to_json()]


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--admin", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"l7lb: {tmp_path}/none: no such socket: is l7lb running with this admin path?\n"


@pytest.mark.parametrize("arguments", [[], ["check"], ["status", "--admin", "a", "--config", "b"], ["nonsense"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage: l7lb" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["run", "check", "status", "connections", "reload", "drain", "undrain", "weight", "top", "demo"]
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([command, "--help"])
    assert raised.value.code == 0
    assert f"usage: l7lb {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (59.9, "59.9s"), (60, "1m 0s"), (3599, "59m 59s"), (3600, "1h 0m"), (86400 * 3 + 7200, "3d 2h")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
