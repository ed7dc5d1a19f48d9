"""Who counts as one client."""

from __future__ import annotations

from dataclasses import dataclass

_IPV4_LENGTH = 4


@dataclass(frozen=True, slots=True)
class ClientPrefix:
    """Addresses that share their first bits are one client.

    `ipv4` is 0..32 bits and `ipv6` is 0..128. A subscriber has at least a /64 of IPv6 (RFC 6177), so single
    addresses there would be as many clients as one likes.
    """

    ipv4: int = 32
    ipv6: int = 64

    def of(self, address: bytes) -> bytes:
        """What all addresses of the client at `address` (packed) have in common."""
        length = len(address)
        spare = length * 8 - (self.ipv4 if length == _IPV4_LENGTH else self.ipv6)
        if spare == 0:
            return address
        return (int.from_bytes(address, "big") >> spare << spare).to_bytes(length, "big")
