"""Hashes that every balancer computes alike, for strategies that keep a client with its server."""

from __future__ import annotations

from hashlib import blake2b

from slowpath.wire.endpoint import Endpoint


def packed(endpoint: Endpoint) -> bytes:
    """The address (4 or 16 bytes) and the port, big-endian."""
    return endpoint.address + endpoint.port.to_bytes(2, "big")


def hash64(data: bytes, key: bytes = b"") -> int:
    """64 bits, uniform, of `data` under `key` (at most 64 bytes)."""
    return int.from_bytes(blake2b(data, digest_size=8, key=key).digest(), "big")
