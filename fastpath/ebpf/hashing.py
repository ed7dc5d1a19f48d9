"""The hash of index.h: where in the index of splices the addresses and ports of a packet stand.

Multilinear hashing modulo 2^64, of which the upper half is taken: the nine 32-bit words of a struct tuple, each times a
secret, and one secret more. With random secrets it is strongly universal (Lemire and Kaser, "Strongly universal string
hashing is fast", 2014): two tuples get the same hash with a probability of 2^-32, whoever chose them. As it is linear,
the parts of a tuple are hashed one by one and added, and those that recur are kept.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import mul
from typing import Final

from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4

CHOICES: Final = 2
"""Hashes of a tuple."""
WORDS: Final = 9
"""Of a struct tuple: source, destination, ports."""
SECRETS: Final = CHOICES * (WORDS + 1)
"""How many secrets there are, 0..2^64-1 each: by choice, those of the words and the one more."""

_SOURCE: Final = 0
_DESTINATION: Final = 4
_PORTS: Final = 8
_V4_PREFIX: Final = 0xFFFF
_V4_WORD: Final = 3
"""What an IPv4-mapped address has in the word before the IPv4 address, and the number of that one."""
_LANE: Final = 128
"""Both hashes are sums of one run of multiplications: the second one's stand so many bits higher."""
_SUM_BYTES: Final = 32
_FIRST: Final = 4
_SECOND: Final = _LANE // 8 + _FIRST
"""Of both sums together, and where in it the upper halves of their 64 bits stand, the lowest byte first."""
_ADDRESS = struct.Struct("!4I")
_V4_LENGTH: Final = IPV4.address_length
_KEPT: Final = 65536


class TupleHash:
    """The hashes of tuples by `secrets`, SECRETS numbers of 64 bits, as sums of both: `place` takes them apart."""

    def __init__(self, secrets: Sequence[int], buckets: int) -> None:
        self._buckets = buckets
        rows = secrets[: WORDS + 1], secrets[WORDS + 1 :]
        self._factors = [first + (second << _LANE) for first, second in zip(*rows, strict=True)]
        self._port = self._factors[_PORTS]
        # Of an IPv4 address but one word is variable.
        self._v4_source = _V4_PREFIX * self._factors[_SOURCE + _V4_WORD - 1]
        self._v4_source_factor = self._factors[_SOURCE + _V4_WORD]
        self._v4_destination = _V4_PREFIX * self._factors[_DESTINATION + _V4_WORD - 1]
        self._v4_destination_factor = self._factors[_DESTINATION + _V4_WORD]
        self._constant = self._factors[WORDS]
        self._destinations: dict[Endpoint, int] = {}

    def source(self, address: bytes, port: int) -> int:
        """The part of a tuple's source; the address is packed, of 4 or 16 bytes."""
        if len(address) == _V4_LENGTH:
            part = self._v4_source + _number(address) * self._v4_source_factor
        else:
            part = sum(map(mul, _ADDRESS.unpack(address), self._factors))
        return part + (port << 16) * self._port

    def destination(self, address: bytes, port: int) -> int:
        """The part of a tuple's destination, and what all tuples have in common."""
        if len(address) == _V4_LENGTH:
            part = self._v4_destination + _number(address) * self._v4_destination_factor
        else:
            part = sum(map(mul, _ADDRESS.unpack(address), self._factors[_DESTINATION:]))
        return self._constant + part + port * self._port

    def of(self, source: Endpoint, destination: Endpoint) -> int:
        """The sum of a tuple whose destination is one of few, as VIPs are."""
        part = self._destinations.get(destination)
        if part is None:
            if len(self._destinations) >= _KEPT:
                self._destinations.clear()
            part = self._destinations[destination] = self.destination(*destination)
        return part + self.source(source[0], source[1])

    def place(self, total: int) -> tuple[int, int, int]:
        """The hash that tags are cut from, and the numbers of the two buckets, of the tuple whose parts sum up so."""
        sums = total.to_bytes(_SUM_BYTES, "little")
        high, low = sums[_FIRST + 2] | sums[_FIRST + 3] << 8, sums[_FIRST] | sums[_FIRST + 1] << 8
        first, one = high << 16 | low, self._scaled(high, low)
        high, low = sums[_SECOND + 2] | sums[_SECOND + 3] << 8, sums[_SECOND] | sums[_SECOND + 1] << 8
        return first, one, self._scaled(high, low)

    def _scaled(self, high: int, low: int) -> int:
        """A hash as a fraction of 2^32, times the buckets; by halves, as compiled code is quick with small products."""
        return high * self._buckets + (low * self._buckets >> 16) >> 16


def _number(address: bytes) -> int:
    """An IPv4 address as a number; what int.from_bytes does takes several times as long in compiled code."""
    return address[0] << 24 | address[1] << 16 | address[2] << 8 | address[3]
