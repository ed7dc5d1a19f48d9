"""A switch as the fast path: its ports and routes, and what leads nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fastpath.switch.network import Gateway, Port, Tunnel, default_mac
from slowpath.control.config import Config, ConfigError, Problem, TofinoConfig, load

_PORTS = {"0": {"address": "10.1.0.1/24"}, "8": {"address": ["10.2.0.1/24", "10.3.0.1/24"]}}
_SWITCH = {"kind": "tofino", "grpc": "127.0.0.1:50052", "cpu_interface": "veth251", "ports": _PORTS}
_DOCUMENT: dict[str, Any] = {
    "fastpath": _SWITCH,
    "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
    "pools": {"web": {"servers": ["10.2.0.2:80"]}},
}
_VXLAN = {"local": "10.2.0.1", "remote": "10.2.0.20", "vni": 42, "mac": "02:09:00:00:00:01"}


def loaded(tmp_path: Path, **sections: object) -> Config:
    file = tmp_path / "l7lb.yaml"
    file.write_text(yaml.safe_dump(_DOCUMENT | sections))
    return load(file)


def switch(tmp_path: Path, **keys: object) -> TofinoConfig:
    chosen = loaded(tmp_path, fastpath=_SWITCH | keys).fastpath
    assert isinstance(chosen, TofinoConfig)
    return chosen


def problems(tmp_path: Path, **sections: object) -> list[Problem]:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, **sections)
    return raised.value.problems


def fastpath(**keys: object) -> dict[str, Any]:
    return {"fastpath": _SWITCH | keys}


def port(**keys: object) -> dict[str, Any]:
    return fastpath(ports=_PORTS | {"0": {"address": "10.1.0.1/24"} | keys})


def vxlan(**keys: object) -> dict[str, Any]:
    return fastpath(routes=[{"to": "10.9.0.0/24", "vxlan": _VXLAN | keys}])


def packed(*numbers: int) -> bytes:
    return bytes(numbers)


@pytest.mark.parametrize("kind", ["tofino", "model"])
def test_what_is_not_said_has_its_documented_default(tmp_path: Path, kind: str) -> None:
    chosen = switch(tmp_path, kind=kind)
    assert (chosen.kind, chosen.program, chosen.routes) == (kind, "l7lb", ())
    first, second = chosen.network().ports
    assert first == Port(0, default_mac(0), ((packed(10, 1, 0, 1), 24),))
    assert second == Port(8, default_mac(8), ((packed(10, 2, 0, 1), 24), (packed(10, 3, 0, 1), 24)))


def test_a_port_that_is_set_up(tmp_path: Path) -> None:
    ports = {"1": {"address": "10.2.0.1/24", "mac": "0A:00:00:00:00:01", "speed": "25G"}}
    [made] = switch(tmp_path, ports=ports).network().ports
    assert (made.mac, made.speed, made.fec) == (bytes.fromhex("0a0000000001"), "25G", "none")


def test_routes_lead_through_gateways_and_tunnels(tmp_path: Path) -> None:
    routes = [{"to": "0.0.0.0/0", "via": "10.1.0.254"}, {"to": "10.9.0.0/24", "vxlan": _VXLAN}]
    network = switch(tmp_path, routes=routes).network()
    assert network.gateways == (Gateway((bytes(4), 0), packed(10, 1, 0, 254)),)
    ends = packed(10, 2, 0, 1), packed(10, 2, 0, 20)
    assert network.tunnels == (Tunnel((packed(10, 9, 0, 0), 24), *ends, 42, bytes.fromhex("020900000001")),)


@pytest.mark.parametrize("address", ["10.3.0.7:80", "10.9.0.1:80", "192.0.2.1:80"])
def test_a_server_is_behind_a_port_a_tunnel_or_a_gateway(tmp_path: Path, address: str) -> None:
    routes = [{"to": "192.0.2.0/24", "via": "10.2.0.9"}, {"to": "10.9.0.0/24", "vxlan": _VXLAN}]
    pools = {"web": {"servers": [address]}}
    assert loaded(tmp_path, fastpath=_SWITCH | {"routes": routes}, pools=pools).pools


def test_a_tunnel_may_start_behind_a_gateway(tmp_path: Path) -> None:
    routes = [{"to": "10.9.0.0/24", "vxlan": _VXLAN | {"remote": "192.0.2.1"}}, {"to": "0.0.0.0/0", "via": "10.2.0.9"}]
    assert switch(tmp_path, routes=routes).network().tunnels


@pytest.mark.parametrize(
    ("sections", "path", "message"),
    [
        (fastpath(interfaces=["eth0"]), "fastpath.interfaces", "belongs to kind ebpf only"),
        (fastpath(grcp="a:1"), "fastpath.grcp", "unknown key: did you mean 'grpc'?"),
        (fastpath(grpc="127.0.0.1"), "fastpath.grpc", "'127.0.0.1' is not HOST:PORT"),
        (fastpath(grpc="host:65536"), "fastpath.grpc", "is not HOST:PORT"),
        (fastpath(cpu_interface="a/b"), "fastpath.cpu_interface", "is not an interface name"),
        (fastpath(ports={}), "fastpath.ports", "is empty"),
        (fastpath(ports=_PORTS | {"512": {"address": "10.4.0.1/24"}}), "fastpath.ports.512", "0 to 511"),
        (fastpath(ports=_PORTS | {"1/0": {"address": "10.4.0.1/24"}}), "fastpath.ports.1/0", "'1/0' is not a port"),
        (port(address="10.1.0.1"), "fastpath.ports.0.address", "with its prefix length, as 10.1.0.1/24"),
        (port(address="10.1.0.1/33"), "fastpath.ports.0.address", "with its prefix length, as 10.1.0.1/24"),
        (port(address=[]), "fastpath.ports.0.address", "is empty"),
        (port(address="10.1.0.0/24"), "fastpath.ports.0.address", "the network's own or broadcast address"),
        (port(address="2001:db8::1/64"), "fastpath.ports.0.address", "this fast path forwards IPv4 only"),
        (port(address="224.0.0.1/24"), "fastpath.ports.0.address", "name a unicast address"),
        (port(mac="01:00:5e:00:00:01"), "fastpath.ports.0.mac", "no station's address"),
        (port(mac=684), "fastpath.ports.0.mac", "684 is not an Ethernet address in quotes"),
        (port(speed="25"), "fastpath.ports.0.speed", "did you mean '25G'?"),
        (port(speed="25G", fec="rs"), "fastpath.ports.0.fec", "'rs' is unknown"),
        (port(fec="none"), "fastpath.ports.0", "fec goes with a speed"),
        (port(address="10.2.0.2/24"), "fastpath.ports.8.address", "overlaps 10.2.0.2/24 of port 0"),
        (port(address="10.2.0.1/24"), "fastpath.ports.8.address", "10.2.0.1 is given twice"),
        (fastpath(routes=[{"to": "0.0.0.0/0"}]), "fastpath.routes[0]", "is one of {to: NETWORK, via: ADDRESS}"),
        (fastpath(routes=[{"to": "10.9.0.1/24", "via": "10.1.0.9"}]), "fastpath.routes[0].to", "network address?"),
        (fastpath(routes=[{"to": "0.0.0.0/0", "via": "gw"}]), "fastpath.routes[0].via", "'gw' is not an address"),
        (fastpath(routes=[{"to": "0.0.0.0/0", "via": "10.4.0.1"}]), "fastpath.routes[0].via", "in no port's network"),
        (fastpath(routes=[{"to": "0.0.0.0/0", "via": "10.1.0.1"}]), "fastpath.routes[0].via", "address of a port"),
        (
            fastpath(routes=[{"to": "0.0.0.0/0", "via": f"10.1.0.{last}"} for last in (8, 9)]),
            "fastpath.routes[1].to",
            "0.0.0.0/0 is given twice",
        ),
        (vxlan(local="10.2.0.9"), "fastpath.routes[0].vxlan.local", "10.2.0.9 is not the address of a port"),
        (vxlan(remote="10.9.0.1"), "fastpath.routes[0].vxlan.remote", "no port and no gateway leads to 10.9.0.1"),
        (vxlan(vni=1 << 24), "fastpath.routes[0].vxlan.vni", "less than or equal to 16777215"),
        (vxlan(mac="02:00"), "fastpath.routes[0].vxlan.mac", "is not an Ethernet address"),
        ({"pools": {"web": {"servers": ["10.4.0.1:80"]}}}, "pools.web.servers[0]", "no port and no route of fastpath"),
        ({"source": {"snat": ["10.2.0.0/28"]}}, "source.snat", "10.2.0.1 is the address of port 8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_mistake_is_named(tmp_path: Path, sections: dict[str, Any], path: str, message: str) -> None:
    [problem] = problems(tmp_path, **sections)
    assert problem.path in (path, f"{path}.address")
    assert message in problem.message


def test_the_line_of_a_mistake_is_that_of_the_route(tmp_path: Path) -> None:
    file = tmp_path / "l7lb.yaml"
    file.write_text("""\
fastpath:
  kind: model
  grpc: 127.0.0.1:50052
  cpu_interface: cpu0
  ports:
    0: {address: 10.1.0.1/24}
  routes:
    - {to: 10.2.0.0/24, via: 10.1.0.2}
    - to: 0.0.0.0/0
      via: 10.4.0.1
listeners:
  web: {address: "10.1.0.100:80", default: web}
pools:
  web: {servers: ["10.2.0.2:80"]}
""")
    with pytest.raises(ConfigError) as raised:
        load(file)
    [problem] = raised.value.problems
    assert (problem.line, problem.path) == (10, "fastpath.routes[1].via")
