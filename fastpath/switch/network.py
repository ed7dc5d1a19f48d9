"""The networks around a switch: its ports and their addresses, gateways, and tunnels. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from fastpath import frame as cpu


class Neighbour(NamedTuple):
    """A host on the same link as one of the ports: the port's number and the host's packed address."""

    port: int
    address: bytes


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the switch: `number` is the target's (0..511), `addresses` are (packed address, prefix length).

    `speed` and `fec` are the target's own words, such as `25G` and `none`; None leaves the port as it is.
    """

    number: int
    mac: bytes
    addresses: tuple[tuple[bytes, int], ...] = ()
    speed: str | None = None
    fec: str | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A route: `network`, (packed prefix, length in bits), is behind the router `via`."""

    network: tuple[bytes, int]
    via: bytes


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A route: `network` is behind the VXLAN tunnel endpoint `remote` (RFC 7348).

    `local` is the packed outer source address, `vni` is 0..2^24-1, `mac` the inner destination address.
    """

    network: tuple[bytes, int]
    local: bytes
    remote: bytes
    vni: int
    mac: bytes


_T = TypeVar("_T")

Leads = Port | Gateway | Tunnel
"""What leads to a network."""


@dataclass(frozen=True, slots=True)
class Network:
    """All that a switch is told of what is around it."""

    ports: tuple[Port, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    tunnels: tuple[Tunnel, ...] = ()

    def connected(self, address: bytes) -> tuple[Port, bytes] | None:
        """The port whose network holds `address`, and the port's own address there; None if no port's does."""
        found = [(length, port, own) for port, own, length in self._addresses() if holds((own, length), address)]
        if not found:
            return None
        _, port, own = max(found, key=lambda each: each[0])
        return port, own

    def neighbour(self, destination: bytes) -> Neighbour | None:
        """The host that packets for `destination` are handed to, in a tunnel or not; None without a route."""
        leads = self._leads(destination)
        return self.underlay(leads.remote if isinstance(leads, Tunnel) else destination)

    def underlay(self, destination: bytes) -> Neighbour | None:
        """The host that packets for `destination` are handed to if they take no tunnel; None without a route."""
        leads = self._leads(destination, tunnels=False)
        if leads is None:
            return None
        address = leads.via if isinstance(leads, Gateway) else destination
        found = self.connected(address)
        return Neighbour(found[0].number, address) if found is not None else None

    def source_address(self, destination: bytes) -> bytes | None:
        """The packed address that the switch reaches `destination` from; None without a route."""
        leads = self._leads(destination)
        if isinstance(leads, Tunnel):
            return leads.local
        found = self.connected(leads.via if isinstance(leads, Gateway) else destination)
        return found[1] if found is not None else None

    def is_own(self, address: bytes) -> bool:
        """Whether `address` is a port's."""
        return any(own == address for _, own, _ in self._addresses())

    def port(self, number: int) -> Port | None:
        """The port with this number."""
        return next((port for port in self.ports if port.number == number), None)

    def _addresses(self) -> Iterator[tuple[Port, bytes, int]]:
        return ((port, own, length) for port in self.ports for own, length in port.addresses)

    def _leads(self, destination: bytes, *, tunnels: bool = True) -> Leads | None:
        """What the longest prefix that holds `destination` belongs to; a connected network wins over its equal."""
        routes: list[tuple[tuple[bytes, int], Leads]] = [
            *(((own, length), port) for port, own, length in self._addresses()),
            *((gateway.network, gateway) for gateway in self.gateways),
            *((tunnel.network, tunnel) for tunnel in (self.tunnels if tunnels else ())),
        ]
        return longest(routes, destination)


def longest(routes: Iterable[tuple[tuple[bytes, int], _T]], destination: bytes) -> _T | None:
    """What belongs to the longest prefix that holds `destination`; the first of equals, None without one."""
    best: tuple[int, _T] | None = None
    for prefix, leads in routes:
        if holds(prefix, destination) and (best is None or prefix[1] > best[0]):
            best = prefix[1], leads
    return best[1] if best is not None else None


def holds(prefix: tuple[bytes, int], address: bytes) -> bool:
    """Whether `address` is in the network of `prefix`, whose own bits behind its length do not matter."""
    base, length = prefix
    shift = len(address) * 8 - length
    return len(base) == len(address) and int.from_bytes(base, "big") >> shift == int.from_bytes(address, "big") >> shift


def default_mac(port: int) -> bytes:
    """The local unicast address of a port: the one that frames which are injected with `emit` come from."""
    return bytes((cpu.LEAD, cpu.Action.EMIT, 0)) + port.to_bytes(2, "big") + bytes((cpu.MARKER,))
