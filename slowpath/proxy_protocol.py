"""The header by which a proxy tells a server who its client is: HAProxy's PROXY protocol, versions 1 and 2.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

import ipaddress
import struct
from enum import Enum

from slowpath.wire.endpoint import Endpoint

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21  # the version, 2, in the upper half
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21
_IPV4_LENGTH = 4


class Version(Enum):
    """How the header is written: a line of text, or binary."""

    V1 = "v1"
    V2 = "v2"


def header(version: Version, source: Endpoint, destination: Endpoint) -> bytes:
    """The header of a connection that is passed on: its client, and the address of ours that it came to.

    Both endpoints are of one IP version (sections 2.1 and 2.2).
    """
    over_ipv4 = len(source.address) == _IPV4_LENGTH
    if version is Version.V1:
        family = "TCP4" if over_ipv4 else "TCP6"
        hosts = f"{ipaddress.ip_address(source.address)} {ipaddress.ip_address(destination.address)}"
        return f"PROXY {family} {hosts} {source.port} {destination.port}\r\n".encode("ascii")
    addresses = source.address + destination.address + struct.pack("!HH", source.port, destination.port)
    return _binary(_PROXY, _TCP4 if over_ipv4 else _TCP6, addresses)


def local(version: Version) -> bytes:
    """The header of a connection of our own, as a health check's: it stands for no client."""
    return b"PROXY UNKNOWN\r\n" if version is Version.V1 else _binary(_LOCAL, _UNSPECIFIED, b"")


def _binary(command: int, family: int, addresses: bytes) -> bytes:
    return _SIGNATURE + struct.pack("!BBH", command, family, len(addresses)) + addresses
