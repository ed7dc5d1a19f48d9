"""bmv2 as the fast path: what the compiler made of its program, its P4Runtime service and its ports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fastpath.switch.network import Port, default_mac
from slowpath.control.config import Bmv2Config, Config, ConfigError, EbpfConfig, Problem, TofinoConfig, load
from slowpath.control.config.section import Section

_PORTS = {"0": {"address": "10.1.0.1/24"}, "1": {"address": "10.2.0.1/24"}}
_BMV2 = {
    "kind": "bmv2",
    "grpc": "127.0.0.1:9559",
    "p4info": "l7lb.p4info.txtpb",
    "device_config": "l7lb.json",
    "cpu_interface": "cpu0",
    "ports": _PORTS,
}


@pytest.fixture(autouse=True)
def compiled(tmp_path: Path) -> None:
    """What the configuration names is there."""
    for name in ("l7lb.p4info.txtpb", "l7lb.json"):
        (tmp_path / name).touch()


def loaded(tmp_path: Path, fastpath: dict[str, Any]) -> Config:
    document = {
        "fastpath": fastpath,
        "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
        "pools": {"web": {"servers": ["10.2.0.2:80"]}},
    }
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    return load(file)


def bmv2(tmp_path: Path, **keys: object) -> Bmv2Config:
    chosen = loaded(tmp_path, _BMV2 | keys).fastpath
    assert isinstance(chosen, Bmv2Config)
    return chosen


def problem(tmp_path: Path, fastpath: dict[str, Any]) -> Problem:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, fastpath)
    [found] = raised.value.problems
    return found


def test_what_is_not_said_has_its_documented_default(tmp_path: Path) -> None:
    chosen = bmv2(tmp_path)
    assert (chosen.device, chosen.election_id, chosen.routes) == (0, 1, ())
    assert chosen.network().ports == (
        Port(0, default_mac(0), ((bytes((10, 1, 0, 1)), 24),)),
        Port(1, default_mac(1), ((bytes((10, 2, 0, 1)), 24),)),
    )


def test_files_are_named_from_where_the_configuration_is(tmp_path: Path) -> None:
    chosen = bmv2(tmp_path, device_config=str(tmp_path / "l7lb.json"))
    assert (chosen.p4info, chosen.device_config) == (tmp_path / "l7lb.p4info.txtpb", tmp_path / "l7lb.json")


def test_numbers_have_the_width_of_the_protocols(tmp_path: Path) -> None:
    chosen = bmv2(tmp_path, device=(1 << 64) - 1, election_id=(1 << 128) - 1)
    assert (chosen.device, chosen.election_id) == ((1 << 64) - 1, (1 << 128) - 1)


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ({"p4info": "elsewhere.txtpb"}, "p4info", "elsewhere.txtpb cannot be read: No such file or directory"),
        ({"device_config": "."}, "device_config", "cannot be read: Is a directory"),
        ({"device_config": 7}, "device_config", "7 is not the name of a file"),
        ({"device": -1}, "device", "greater than or equal to 0, not -1"),
        ({"device": 1 << 64}, "device", "less than or equal to 18446744073709551615"),
        ({"election_id": 0}, "election_id", "greater than or equal to 1, not 0"),
        ({"election_id": "one"}, "election_id", "valid integer, not 'one'"),
        ({"program": "l7lb"}, "program", "belongs to kinds tofino and model only"),
        ({"capacity": 4096}, "capacity", "belongs to kind ebpf only"),
        ({"learning": False}, "learning", "belongs to kind ebpf only"),
        ({"elections": 1}, "elections", "unknown key: did you mean 'election_id'?"),
        ({"ports": _PORTS | {"511": {"address": "10.3.0.1/24"}}}, "ports.511", "drops what is sent to it"),
        ({"ports": _PORTS | {"512": {"address": "10.3.0.1/24"}}}, "ports.512", "0 to 511"),
        ({"ports": {"1": _PORTS["1"] | {"speed": "25G"}}}, "ports.1.speed", "a port of kind tofino or model only"),
        ({"ports": {"1": _PORTS["1"] | {"fec": "none"}}}, "ports.1.fec", "a port of kind tofino or model only"),
        ({"ports": {"1": {}}}, "ports.1.address", "is required"),
        ({"routes": [{"to": "0.0.0.0/0", "via": "10.4.0.1"}]}, "routes[0].via", "in no port's network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_mistake_is_named(tmp_path: Path, keys: dict[str, object], path: str, message: str) -> None:
    found = problem(tmp_path, _BMV2 | keys)
    assert found.path == f"fastpath.{path}"
    assert message in found.message


@pytest.mark.parametrize("key", ["grpc", "p4info", "device_config", "cpu_interface", "ports"])
def test_what_is_required(tmp_path: Path, key: str) -> None:
    found = problem(tmp_path, {name: value for name, value in _BMV2.items() if name != key})
    assert (found.path, found.message) == (f"fastpath.{key}", "is required")


@pytest.mark.parametrize("section", [EbpfConfig, TofinoConfig, Bmv2Config])
def test_each_kind_knows_the_keys_of_the_others(section: type[Section]) -> None:
    others = (EbpfConfig, TofinoConfig, Bmv2Config)
    keys = {key for other in others for key in other.model_fields}
    assert set(section.foreign) == keys - set(section.model_fields)


@pytest.mark.parametrize("kind", ["ebpf", "model"])
def test_other_kinds_say_where_its_keys_belong(tmp_path: Path, kind: str) -> None:
    elsewhere: dict[str, dict[str, Any]] = {
        "ebpf": {"interfaces": ["eth0"]},
        "model": {"grpc": "127.0.0.1:50052", "cpu_interface": "cpu0", "ports": _PORTS},
    }
    found = problem(tmp_path, {"kind": kind, "p4info": "l7lb.p4info.txtpb"} | elsewhere[kind])
    assert (found.path, found.message) == ("fastpath.p4info", "belongs to kind bmv2 only")
