"""IP headers of both versions: where their fields stand, and what follows them (RFC 791, RFC 8200)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS = 0, 43, 44, 60
"""Next-header numbers of the extension headers that are read over (RFC 8200 section 4)."""

MAX_EXTENSION_HEADERS = 4
"""So many are looked behind; RFC 8200 section 4.1 recommends no more of these for a packet with TCP."""

_EXTENSIONS = frozenset({HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS})
_FRAGMENT_LENGTH = _UNIT = 8
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """An IP version, and where its fixed header has what, in bytes from its version byte on."""

    version: int
    ether_type: int
    length: int
    """Of the fixed header."""
    source: slice
    destination: slice
    addresses: slice
    """Both, the source first."""
    hop_limit: int
    """IPv4's time to live."""
    address_length: int


IPV4 = Family(4, 0x0800, 20, slice(12, 16), slice(16, 20), slice(12, 20), hop_limit=8, address_length=4)
IPV6 = Family(6, 0x86DD, 40, slice(8, 24), slice(24, 40), slice(8, 40), hop_limit=7, address_length=16)


def family_of(address: bytes) -> Family:
    """The family of a packed address."""
    return IPV4 if len(address) == IPV4.address_length else IPV6


def is_mapped(address: bytes) -> bool:
    """Whether a packed address is an IPv4-mapped IPv6 address, which no packet may carry (RFC 4291 section 2.5.5.2)."""
    return address.startswith(_MAPPED)


def mapped(address: bytes) -> bytes:
    """A packed address as 16 bytes: an IPv4 one as IPv4-mapped, an IPv6 one as it is."""
    return _MAPPED + address if len(address) == IPV4.address_length else address


def unmapped(address: bytes) -> bytes:
    """The packed address that `mapped` made `address` of."""
    return address[len(_MAPPED) :] if is_mapped(address) else address


class Payload(NamedTuple):
    """What an IPv6 packet carries behind its extension headers."""

    protocol: int
    start: int
    """Where it begins, in bytes."""
    is_fragment: bool
    """Whether a Fragment header is in front of it, behind which nothing more is looked for."""


def ipv6_payload(packet: bytes, end: int) -> Payload | None:
    """Look behind the extension headers of an IPv6 `packet` whose fixed header is whole and that ends at `end`.

    None if one of them is cut short; with more than MAX_EXTENSION_HEADERS, `protocol` is that of the next one.
    """
    protocol, start, limit = packet[6], IPV6.length, min(end, len(packet))
    for _ in range(MAX_EXTENSION_HEADERS):
        if protocol not in _EXTENSIONS:
            break
        if start + _UNIT > limit:
            return None
        if protocol == FRAGMENT:
            return Payload(packet[start], start + _FRAGMENT_LENGTH, is_fragment=True)
        protocol, start = packet[start], start + (packet[start + 1] + 1) * _UNIT
    return Payload(protocol, start, is_fragment=False) if start <= limit else None
