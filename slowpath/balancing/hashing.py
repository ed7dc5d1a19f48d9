"""Hashes that every balancer computes alike, for strategies that keep a client with its server."""

from __future__ import annotations

from hashlib import blake2b

from slowpath.wire.endpoint import Endpoint

_MASK = (1 << 64) - 1


def packed(endpoint: Endpoint) -> bytes:
    """The address (4 or 16 bytes) and the port, big-endian."""
    return endpoint.address + endpoint.port.to_bytes(2, "big")


def hash64(data: bytes, key: bytes = b"") -> int:
    """64 bits, uniform, of `data` under `key` (at most 64 bytes)."""
    return int.from_bytes(blake2b(data, digest_size=8, key=key).digest(), "big")


def mix64(value: int) -> int:
    """64 bits from as many, one to one: any two values that differ in a bit have nothing in common afterwards.

    The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", 2014), a tenth of the cost of `hash64`.
    """
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31
