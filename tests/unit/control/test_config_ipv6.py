"""Configurations with IPv6: what goes together, and what is said of what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.control.config import Config, ConfigError, Problem, load

_EBPF = {"interfaces": ["eth0"]}
_SWITCH = {
    "kind": "model",
    "grpc": "127.0.0.1:50052",
    "cpu_interface": "cpu0",
    "ports": {0: {"address": "10.1.0.1/16"}},
}
_FOUR, _SIX = "10.1.0.100:80", "[2001:db8:1::100]:80"
_SERVER, _SERVER6 = "10.1.0.2:80", "[2001:db8:2::2]:80"
_SNAT, _SNAT6 = "10.1.0.16/28", "2001:db8:2::20/124"


def loaded(
    tmp_path: Path, address: str, servers: list[str], snat: list[str] | None = None, fastpath: object = None
) -> Config:
    document: dict[str, Any] = {
        "fastpath": fastpath or _EBPF,
        "source": {"snat": snat} if snat else "transparent",
        "listeners": {"web": {"address": address, "default": "web"}},
        "pools": {"web": {"servers": servers}},
    }
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(document))
    return load(file)


def refused(
    tmp_path: Path, address: str, servers: list[str], snat: list[str] | None = None, fastpath: object = None
) -> list[Problem]:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, address, servers, snat, fastpath)
    return raised.value.problems


@pytest.mark.parametrize(
    ("address", "servers", "snat"),
    [
        (_SIX, [_SERVER6], None),
        (_SIX, [_SERVER6], [_SNAT6]),
        (_SIX, [_SERVER], [_SNAT]),
        (_FOUR, [_SERVER6], [_SNAT6]),
        (_SIX, [_SERVER, _SERVER6], [_SNAT, _SNAT6]),
        (_SIX, ["web.internal:80"], None),
    ],
)
def test_what_goes_together(tmp_path: Path, address: str, servers: list[str], snat: list[str] | None) -> None:
    assert str(loaded(tmp_path, address, servers, snat).listeners["web"].address) == address


def test_a_listener_of_each_version_may_have_a_pool_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text(f"""\
fastpath: {{interfaces: [eth0]}}
listeners:
  web: {{address: "{_FOUR}", default: web}}
  web6: {{address: "{_SIX}", default: web6}}
pools:
  web: {{servers: ["{_SERVER}"]}}
  web6: {{servers: ["{_SERVER6}"]}}
""")
    assert load(file).source is None


def test_in_transparent_mode_servers_have_the_version_of_their_clients(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, _SIX, [_SERVER])
    assert problem.path == "pools.web.servers[0].address"
    assert problem.message == (
        f"{_SERVER}: no listener has IPv4; between IP versions servers see addresses of ours: "
        "source: {snat: [ADDRESS, ...]}"
    )


def test_of_a_pool_that_listeners_share_every_server_has_the_version_of_both(tmp_path: Path) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text(f"""\
fastpath: {{interfaces: [eth0]}}
listeners:
  web: {{address: "{_FOUR}", default: web}}
  web6: {{address: "{_SIX}", default: web}}
pools:
  web:
    servers:
      - "{_SERVER}"
""")
    with pytest.raises(ConfigError) as raised:
        load(file)
    [problem] = raised.value.problems
    assert (problem.path, problem.line) == ("pools.web.servers[0].address", 8)
    assert f"{_SERVER} is not of IPv6, as listener web6 is" in problem.message


def test_a_server_needs_a_source_of_its_version(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, _SIX, [_SERVER], [_SNAT6])
    assert problem.path == "pools.web.servers[0].address"
    assert problem.message == f"{_SERVER}: source.snat has no IPv4 address to reach it from; add one"


def test_a_switch_forwards_ipv4_only(tmp_path: Path) -> None:
    found = refused(tmp_path, _SIX, [_SERVER6], ["2001:db8::1"], fastpath=_SWITCH)
    assert {problem.path for problem in found} == {
        "source.snat",
        "listeners.web.address",
        "pools.web.servers[0].address",
    }
    assert all("this fast path forwards IPv4 only" in problem.message for problem in found)
