"""The fast paths that a laboratory can have, and what L7LB is told of those that are switches. Nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.laboratory import Laboratory
from deploy.laboratory.demo import LOADS
from deploy.laboratory.laboratory import FASTPATHS
from deploy.laboratory.namespace import LaboratoryError
from deploy.laboratory.switches import SWITCHES, Bmv2
from slowpath.control.cli import main
from slowpath.control.config import Bmv2Config, TofinoConfig, load

_NEEDED = ["p4c", "simple_switch_grpc"]


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where laboratories have their files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("fastpath", SWITCHES)
def test_the_configuration_of_a_switch_is_one(somewhere: Path, fastpath: str) -> None:
    laboratory = Laboratory(servers=2, fastpath=fastpath, tunnelled=1)
    laboratory.directory.mkdir()
    section = laboratory.default_config()["fastpath"]
    for compiled in {"p4info", "device_config"} & set(section):
        Path(section[compiled]).touch()
    chosen = load(laboratory.config()).fastpath
    assert isinstance(chosen, TofinoConfig | Bmv2Config)
    assert chosen.grpc == laboratory.switch.grpc
    assert chosen.cpu_interface == laboratory.cpu_interface
    network = chosen.network()
    assert [port.number for port in network.ports] == [0, 1]
    assert len(network.tunnels) == 1


def test_a_host_is_no_switch(somewhere: Path) -> None:
    with pytest.raises(LaboratoryError, match="is a host, not a switch"):
        assert Laboratory().switch


def test_an_unknown_fast_path_is_refused() -> None:
    with pytest.raises(ValueError, match="ebpf or model or v1model or bmv2, not tofino"):
        Laboratory(fastpath="tofino")


def test_what_bmv2_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Bmv2.missing() == _NEEDED
    for command in _NEEDED:
        (tmp_path / command).touch(mode=0o755)
    assert Bmv2.missing() == []


def test_the_demonstration_knows_every_fast_path() -> None:
    assert set(LOADS) == set(FASTPATHS)


@pytest.mark.parametrize("command", [["demo"], ["experiment", "fig3"]], ids=" ".join)
def test_the_command_line_offers_every_fast_path(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--fastpath", "none"])
    told = capsys.readouterr().err
    assert all(f"'{fastpath}'" in told for fastpath in FASTPATHS), told
