"""The systemd unit: systemd accepts it, and what it allows is enough for a real run."""

from __future__ import annotations

import configparser
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import LaboratoryError, end, wait_until

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "l7lb.service"
_TIMEOUT = 20.0


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    return unit["Service"]


def test_systemd_has_no_complaint(tmp_path: Path) -> None:
    """On a copy that names a program this machine has: systemd looks for it."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/l7lb/bin/l7lb", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_unit_runs_the_command_line(service: configparser.SectionProxy) -> None:
    for key, command in (("ExecStartPre", "check"), ("ExecStart", "run")):
        program, *arguments = shlex.split(service[key])
        assert (Path(program).name, arguments) == ("l7lb", [command, "/etc/l7lb/l7lb.yaml"])


def test_its_capabilities_are_enough(
    laboratory: Laboratory, service: configparser.SectionProxy, tmp_path: Path
) -> None:
    kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in service["CapabilityBoundingSet"].split())
    cli = [sys.executable, "-m", "slowpath.control.cli"]
    log = tmp_path / "l7lb.log"
    confined = ["setpriv", f"--bounding-set=-all,{kept}", "--no-new-privs", "--"]
    process = laboratory.balancer.popen([*confined, *cli, "run", str(laboratory.config())], log=log)
    status = [*cli, "status", "--json", "--admin", str(laboratory.admin)]

    def all_up() -> bool:
        if process.poll() is not None:
            raise LaboratoryError(log.read_text())
        if not laboratory.balancer.succeeds(status):
            return False
        pools = json.loads(laboratory.balancer.run(status))["pools"]
        return all(server["up"] for pool in pools for server in pool["servers"])

    try:
        wait_until(all_up, _TIMEOUT, "the confined l7lb sees its servers")
        assert "server" in laboratory.client.run(["curl", "-sSf", "-m", "5", f"http://{VIP}/whoami"])
    finally:
        end(process)
    assert process.returncode == 0, log.read_text()
