"""ICMP errors about packets that a splice has translated, as the senders of those packets have to get them."""

from __future__ import annotations

import struct

from fastpath.records import Direction, Splice, Translation
from slowpath.wire import icmp_versions, tcp
from slowpath.wire import sequence as seq
from slowpath.wire.checksum import internet_checksum, updated
from slowpath.wire.icmp import Error, Quoted
from slowpath.wire.ip import IPV4, IPV6, Family, family_of

_TCP_LENGTH = 20
_FLAGS_OFFSET = 13
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_DONT_FRAGMENT = 0x4000


def translated(error: Error, found: Quoted, splice: Splice) -> Error | None:
    """The error as the sender of the packet `found` in it knows that packet; None if that has no meaning to it.

    Addresses, ports, SEQ and ACK of the quote become again what they were, its checksums follow; TTL and TCP options
    stay as quoted, as no host looks at them. An error of the other IP version is made anew (RFC 7915 sections 4.2,
    4.3, 5.2, 5.3); it comes from an address of the balancer's then, as its sender has none of that version.
    """
    to_server, to_client = splice.translations()
    translation = to_server if (found.source, found.destination) == to_server.becomes else to_client
    sender = translation.match.source.address
    family = family_of(sender)
    if family is error.family:
        return Error(
            error.source, sender, error.type, error.code, error.parameter, _original(error.quote, found, translation)
        )
    counterpart = icmp_versions.counterpart(error)
    if counterpart is None:
        return None
    quote = _original(icmp_versions.without_extensions(error), found, translation)
    return Error(own_address(splice, translation.direction), sender, *counterpart, quote)


def own_address(splice: Splice, direction: Direction) -> bytes:
    """Where errors of our own about packets of one direction come from: the VIP, or the SNAT address."""
    vip = splice.flow.vip.address
    sender = splice.translations()[direction].match.source.address
    return vip if len(vip) == len(sender) else splice.source.address


def _original(quote: bytes, found: Quoted, translation: Translation) -> bytes:
    """The packet whose beginning was quoted after `translation`, as it was before."""
    match = translation.match
    addresses = match.source.address + match.destination.address
    old = quote[found.start : found.start + _TCP_LENGTH]
    new = bytearray(old)
    new[0:2] = match.source.port.to_bytes(2, "big")
    new[2:4] = match.destination.port.to_bytes(2, "big")
    _subtract(new, 4, translation.sequence)
    if len(new) > _FLAGS_OFFSET and new[_FLAGS_OFFSET] & tcp.ACK:
        _subtract(new, 8, translation.acknowledgment)
    even, checksum = len(new) & ~1, slice(tcp.CHECKSUM_OFFSET, tcp.CHECKSUM_OFFSET + 2)
    if even >= checksum.stop:
        before = b"".join(endpoint.address for endpoint in translation.becomes) + old[:even]
        value = updated(int.from_bytes(old[checksum], "big"), before, addresses + bytes(new[:even]))
        new[checksum] = value.to_bytes(2, "big")
    header = _ip_header(quote[: found.start], family_of(match.source.address), addresses)
    return header + bytes(new) + quote[found.start + _TCP_LENGTH :]


def _ip_header(old: bytes, family: Family, addresses: bytes) -> bytes:
    """The quoted IP header with other addresses, which may be of the other IP version."""
    if old[0] >> 4 != family.version:
        return _to_ipv6(old, addresses) if family is IPV6 else _to_ipv4(old, addresses)
    new = old[: family.addresses.start] + addresses + old[family.addresses.stop :]
    if family is IPV6:
        return new
    return new[:10] + updated(int.from_bytes(old[10:12], "big"), old, new).to_bytes(2, "big") + new[12:]


def _to_ipv6(old: bytes, addresses: bytes) -> bytes:
    """What an IPv4 header was made of; the flow label is unknown."""
    length = max(int.from_bytes(old[2:4], "big") - len(old), 0)
    first = IPV6.version << 28 | old[1] << 20
    return _IPV6.pack(first, length, tcp.PROTOCOL, old[IPV4.hop_limit], addresses[:16], addresses[16:])


def _to_ipv4(old: bytes, addresses: bytes) -> bytes:
    """What an IPv6 header was made of; the identification is unknown."""
    traffic_class = int.from_bytes(old[0:2], "big") >> 4 & 0xFF
    total = min(IPV4.length + int.from_bytes(old[4:6], "big"), 0xFFFF)
    ttl = old[IPV6.hop_limit]
    head = _IPV4.pack(0x45, traffic_class, total, 0, _DONT_FRAGMENT, ttl, tcp.PROTOCOL, 0, addresses[:4], addresses[4:])
    return head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]


def _subtract(header: bytearray, offset: int, delta: int) -> None:
    """Take `delta` from the number of four bytes at `offset`, if all of it was quoted."""
    field = slice(offset, offset + 4)
    number = header[field]
    if len(number) == 4:
        header[field] = seq.add(int.from_bytes(number, "big"), -delta).to_bytes(4, "big")
