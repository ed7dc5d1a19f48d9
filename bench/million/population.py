"""The synthetic connections: as many as are asked for, no two alike, and the same ones in every run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from fastpath.records import Flow, Server, Splice
from slowpath.wire.endpoint import Endpoint

VIP = Endpoint.parse("10.1.0.100:80")

_BITS = 45
"""What tells clients apart: 30 bits of the address, within CLIENTS, and 15 of the port, from 32768 on."""
_MASK = (1 << _BITS) - 1
_PORT_BITS = 15
_FIRST_PORT = 1 << 15
CLIENTS = (bytes((128, 0, 0, 0)), 2)
"""The network (packed prefix, length) of all clients."""
_STEP = 0x9E37_79B9_7F4B % (1 << _BITS) | 1
_FACTORS = (0x0BF5_8476_D1CE_4E5B & _MASK | 1, 0x14D0_49BB_1331_11EB & _MASK | 1)


def scattered(number: int, seed: int = 0) -> Endpoint:
    """Client `number`, somewhere in CLIENTS: a permutation of 45 bits, so numbers below 2^45 give distinct clients.

    The mixing is that of splitmix64 (Steele, Lea and Flood, 2014), within fewer bits: multiplications by odd factors
    and shifts, each of which can be undone.
    """
    value = (number + seed * _STEP) & _MASK
    for factor in _FACTORS:
        value = (value ^ value >> 22) * factor & _MASK
    value ^= value >> 23
    address = int.from_bytes(CLIENTS[0], "big") | value >> _PORT_BITS
    return Endpoint(address.to_bytes(4, "big"), _FIRST_PORT | value & (1 << _PORT_BITS) - 1)


def adjacent(number: int) -> Endpoint:
    """Client `number` of a single network: 16,384 ports of each address, one after the other."""
    address = int.from_bytes(CLIENTS[0], "big") + (number >> 14)
    return Endpoint(address.to_bytes(4, "big"), _FIRST_PORT | number & (1 << 14) - 1)


def splices(numbers: range, servers: list[Server], *, pivot: bool = False) -> list[Splice]:
    """The splices of these scattered clients, in transparent mode and spread over `servers`; made anew every time.

    With `pivot` the next request is awaited, as with `routing: request`.
    """
    made = []
    for number in numbers:
        client, server = scattered(number), servers[number % len(servers)]
        made.append(
            Splice(
                Flow(client, VIP),
                server.endpoint,
                server.id,
                client,
                delta=number * 0x9E37_79B1 & 0xFFFF_FFFF,
                pivot=number & 0xFFFF_FFFF if pivot else None,
            )
        )
    return made


def batches(numbers: range, size: int) -> Iterator[range]:
    """`numbers` in parts of `size`, the last one perhaps shorter."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def checkpoints(count: int, first: int = 1024) -> list[int]:
    """Powers of two from `first` up to `count`, and `count` itself."""
    powers = (first << shift for shift in range(64))
    below = list(islice(powers, max((count // first).bit_length(), 0)))
    return below if below and below[-1] == count else [*below, count]
