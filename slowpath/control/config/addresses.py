"""The values that describe a switch's surroundings: ports, interface addresses, networks, Ethernet addresses."""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated

from pydantic import InstanceOf, PlainValidator

from slowpath.control.config.values import network

MAX_PORT = 511
"""A port has 9 bits, in TNA (PortId_t) as in v1model (egress_spec)."""

_PORT = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}", re.ASCII)
_TARGET = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", re.ASCII)


def port_number(value: object) -> int:
    """A port of the switch, as a key is written."""
    if not isinstance(value, str) or not _PORT.fullmatch(value) or int(value) > MAX_PORT:
        raise ValueError(
            f"{value!r} is not a port of the switch: its number, 0 to {MAX_PORT}, as the control plane has it"
        )
    return int(value)


def interfaces(value: object) -> tuple[IPv4Interface, ...]:
    """One address with its prefix length, or a list of them."""
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise ValueError("is empty: a port has at least one address, as 10.1.0.1/24")
    return tuple(map(_interface, listed))


def _interface(value: object) -> IPv4Interface:
    if not isinstance(value, str) or "/" not in value:
        raise ValueError(f"{value!r} is not an address with its prefix length, as 10.1.0.1/24")
    try:
        parsed = ipaddress.ip_interface(value)
    except ValueError:
        raise ValueError(f"{value!r} is not an address with its prefix length, as 10.1.0.1/24") from None
    if not isinstance(parsed, IPv4Interface):
        raise ValueError(f"{value}: this fast path forwards IPv4 only; use an IPv4 address")
    if not _is_unicast(parsed.ip):
        raise ValueError(f"{value}: name a unicast address")
    around = parsed.network
    if around.prefixlen < 31 and parsed.ip in (around.network_address, around.broadcast_address):
        raise ValueError(f"{value} is the network's own or broadcast address: name the port's address in it")
    return parsed


def address(value: object) -> IPv4Address:
    """A unicast IPv4 address."""
    try:
        parsed = ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not an address as 10.1.0.254") from None
    if not isinstance(parsed, IPv4Address):
        raise ValueError(f"{value}: this fast path forwards IPv4 only; use an IPv4 address")
    if not _is_unicast(parsed):
        raise ValueError(f"{value}: name a unicast address")
    return parsed


def destination(value: object) -> IPv4Network:
    """What a route leads to."""
    parsed = network(value)
    if not isinstance(parsed, IPv4Network):
        raise ValueError(f"{value}: this fast path forwards IPv4 only; use an IPv4 network")
    return parsed


def mac(value: object) -> bytes:
    """An Ethernet address of a single station, packed."""
    if not isinstance(value, str) or not _MAC.fullmatch(value):
        # YAML 1.1 reads some of them as numbers of base 60.
        raise ValueError(f"{value!r} is not an Ethernet address in quotes, as '02:00:00:00:00:01'")
    packed = bytes.fromhex(value.replace(":", ""))
    if packed[0] & 1 or not any(packed):
        raise ValueError(f"{value} is no station's address: its first byte is even, and not all bytes are 0")
    return packed


def target(value: object) -> str:
    """Where a gRPC service listens: a name or address, and a port."""
    match = _TARGET.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[1]) < 65536:
        raise ValueError(f"{value!r} is not HOST:PORT, as in 127.0.0.1:50052")
    return match[0]


def _is_unicast(parsed: IPv4Address) -> bool:
    return not (parsed.is_unspecified or parsed.is_multicast or parsed.is_loopback or parsed.is_reserved)


PortNumber = Annotated[int, PlainValidator(port_number)]
Interfaces = Annotated[tuple[InstanceOf[IPv4Interface], ...], PlainValidator(interfaces)]
Address = Annotated[InstanceOf[IPv4Address], PlainValidator(address)]
Destination = Annotated[InstanceOf[IPv4Network], PlainValidator(destination)]
Mac = Annotated[bytes, PlainValidator(mac)]
GrpcTarget = Annotated[str, PlainValidator(target)]
