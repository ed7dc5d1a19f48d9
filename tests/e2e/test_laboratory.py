"""The laboratory and its demonstration leave nothing behind, however they end."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.laboratory import registry
from deploy.laboratory.namespace import LaboratoryError, sh, wait_until

_TIMEOUT = 20.0
_BUILD = """
import time
from deploy.laboratory import Laboratory, Namespace
from deploy.laboratory.namespace import sh
with Laboratory(servers=1) as laboratory:
    guest = Namespace(f"{laboratory.name}-guest")
    laboratory.adopt(guest)
    sh(["ip", "netns", "add", guest.name])
    print(laboratory.name, flush=True)
    time.sleep(60)
"""
_CLI = [sys.executable, "-m", "slowpath.control.cli"]
_DEMO = [*_CLI, "demo"]
_EXPERIMENT = [*_CLI, "experiment", "fig3", "--output", "results"]


def _traces(name: str) -> list[str]:
    """What is left of a laboratory."""
    namespaces = [line.split()[0] for line in sh(["ip", "netns", "list"]).splitlines()]
    places = [Path(tempfile.gettempdir()) / name, registry.DIRECTORY / f"{name}.json"]
    return [found for found in namespaces if found.startswith(f"{name}-")] + [str(p) for p in places if p.exists()]


def test_killed_laboratory_is_cleared_away_by_the_next() -> None:
    with subprocess.Popen([sys.executable, "-c", _BUILD], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        owner.kill()
    assert f"{name}-guest" in _traces(name)
    assert name in registry.sweep()
    assert not _traces(name)


def test_living_laboratories_are_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", _BUILD], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        assert name not in registry.sweep()
        assert _traces(name)
        owner.kill()
    registry.sweep()


def test_demo_shows_who_answered_and_that_the_slow_path_does_not_grow() -> None:
    output = sh(_DEMO, timeout=2 * _TIMEOUT)
    assert "server1 x8" in output
    assert "100MB" in output
    assert "do not grow" in output


def test_demo_shows_the_same_through_the_switchs_program() -> None:
    output = sh([*_DEMO, "--fastpath", "model"], timeout=6 * _TIMEOUT)
    assert "server1 x8" in output
    assert "100MB" in output
    assert "its own, not a hardware switch's" in output
    assert "do not grow" in output


def test_demo_says_what_its_switch_needs() -> None:
    with pytest.raises(LaboratoryError, match="exit status 1: l7lb demo: not on PATH: p4c, simple_switch_grpc"):
        sh(["env", "PATH=", *_DEMO, "--fastpath", "bmv2"], timeout=_TIMEOUT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [_DEMO, _EXPERIMENT], ids=["demo", "experiment"])
def test_interrupted_command_cleans_up(command: list[str], number: signal.Signals, tmp_path: Path) -> None:
    # A test run in the background of a shell ignores SIGINT, and so would the command.
    argv = ["env", "--default-signal=INT", *command]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        name = f"l7lb-{running.pid:x}-1"
        wait_until(lambda: len(_traces(name)) > 2, _TIMEOUT, "the command builds its laboratory")
        running.send_signal(number)
        assert running.wait(_TIMEOUT) == 128 + number
    assert not _traces(name)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
