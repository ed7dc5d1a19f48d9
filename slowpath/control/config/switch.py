"""What the `fastpath` sections of all switches have: a control plane, a CPU port, ports and where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Interface
from typing import Annotated, Generic, Self, TypeVar

from pydantic import Field, model_validator

from fastpath.switch.network import Gateway, Network, Port, Tunnel, default_mac
from slowpath.control.config.addresses import Address, Destination, GrpcTarget, Interfaces, Mac, PortNumber
from slowpath.control.config.problems import KeyPath
from slowpath.control.config.section import Section, mistakes
from slowpath.control.config.values import Interface

_LARGEST_VNI = 0xFF_FFFF

_Mistakes = Iterator[tuple[KeyPath, str]]


class PortConfig(Section):
    """A port of a switch, with the addresses that L7LB answers for on its link."""

    address: Interfaces
    mac: Mac | None = None

    def port(self, number: int) -> Port:
        """As the fast path takes it."""
        addresses = tuple((interface.ip.packed, interface.network.prefixlen) for interface in self.address)
        return Port(number, self.mac or default_mac(number), addresses)


class VxlanConfig(Section):
    """A tunnel to a host that is not adjacent; `mac` is the inner destination."""

    local: Address
    remote: Address
    vni: Annotated[int, Field(strict=True, ge=0, le=_LARGEST_VNI)]
    mac: Mac


class StaticRouteConfig(Section):
    """A network behind a gateway, or at the end of a tunnel."""

    to: Destination
    via: Address | None = None
    vxlan: VxlanConfig | None = None

    @model_validator(mode="after")
    def _one_way(self) -> StaticRouteConfig:
        if (self.via is None) == (self.vxlan is None):
            raise ValueError("is one of {to: NETWORK, via: ADDRESS} and {to: NETWORK, vxlan: {...}}")
        return self

    @property
    def _network(self) -> tuple[bytes, int]:
        return self.to.network_address.packed, self.to.prefixlen

    @property
    def gateway(self) -> Gateway | None:
        """As the fast path takes it, if it is one."""
        return Gateway(self._network, self.via.packed) if self.via is not None else None

    @property
    def tunnel(self) -> Tunnel | None:
        """As the fast path takes it, if it is one."""
        end = self.vxlan
        return Tunnel(self._network, end.local.packed, end.remote.packed, end.vni, end.mac) if end is not None else None


_PortT = TypeVar("_PortT", bound=PortConfig)


class SwitchConfig(Section, Generic[_PortT]):
    """A switch; its kinds differ in their control planes, and in what can be said of a port."""

    grpc: GrpcTarget
    cpu_interface: Interface
    ports: Annotated[dict[PortNumber, _PortT], Field(min_length=1)]
    routes: tuple[StaticRouteConfig, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if found := [*self._ports_that_clash(), *self._routes_to_nowhere()]:
            raise mistakes(type(self).__name__, found)
        return self

    def network(self) -> Network:
        """The ports, and where they lead, as the fast path takes them."""
        return Network(
            tuple(port.port(number) for number, port in self.ports.items()),
            tuple(route.gateway for route in self.routes if route.gateway is not None),
            tuple(route.tunnel for route in self.routes if route.tunnel is not None),
        )

    def _ports_that_clash(self) -> _Mistakes:
        earlier: list[tuple[int, IPv4Interface]] = []
        for number, port in self.ports.items():
            path = ("ports", str(number), "address")
            for interface in port.address:
                for other, known in earlier:
                    if interface.ip == known.ip:
                        yield path, f"{interface.ip} is given twice"
                    elif number != other and interface.network.overlaps(known.network):
                        yield path, f"{interface} overlaps {known} of port {other}: a network is behind one port"
                earlier.append((number, interface))

    def _routes_to_nowhere(self) -> _Mistakes:
        network = self.network()
        underlay = replace(network, tunnels=())
        known = set()
        for index, route in enumerate(self.routes):
            path = ("routes", index)
            if route.to in known:
                yield (*path, "to"), f"{route.to} is given twice"
            known.add(route.to)
            if route.via is not None and network.is_own(route.via.packed):
                yield (*path, "via"), f"{route.via} is the address of a port: name the gateway's"
            elif route.via is not None and network.connected(route.via.packed) is None:
                yield (*path, "via"), f"{route.via} is in no port's network: a gateway is adjacent"
            if route.vxlan is not None and not network.is_own(route.vxlan.local.packed):
                yield (*path, "vxlan", "local"), f"{route.vxlan.local} is not the address of a port"
            if route.vxlan is not None and underlay.neighbour(route.vxlan.remote.packed) is None:
                yield (*path, "vxlan", "remote"), f"no port and no gateway leads to {route.vxlan.remote}"
