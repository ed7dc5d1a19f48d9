"""How many connections share their digest with an earlier one: what theory says of a random digest, and of a CRC."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, expm1, log1p, sqrt

from fastpath.pipeline.digest import digest
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Prediction:
    """A number of connections that find their digest taken: its expected value and its standard deviation."""

    expected: float
    deviation: float

    def z(self, observed: float) -> float:
        """How many standard deviations `observed` is above what was expected."""
        return (observed - self.expected) / self.deviation


def at_random(count: int, bits: int) -> Prediction:
    """Of `count` connections with independent, uniform digests of `bits` bits: the occupancy problem.

    `count` balls in m = 2^bits boxes leave m (1 - 1/m)^count of them empty on average, and every ball beyond the first
    one of its box is a collision: about count^2 / 2m of them. Where that is small against `count`, as here, their
    number is nearly a Poisson variable, of which mean and variance are equal; the variance below is exact to O(1/m)
    (Feller, An Introduction to Probability Theory, volume 1, IV.2 and IX.3).
    """
    boxes = 2.0**bits
    load = count / boxes
    # expm1 and log1p, as the difference of two numbers near 2^32 would lose what is looked for.
    expected = count + boxes * expm1(count * log1p(-1 / boxes))
    variance = boxes * exp(-load) * -(expm1(-load) + load * exp(-load))
    return Prediction(expected, sqrt(max(variance, 0.0)))


def observed(clients: Iterable[Endpoint], group: int, bits: int) -> int:
    """How many of `clients` have the digest of one before them."""
    seen: set[int] = set()
    count = 0
    for client in clients:
        count += 1
        seen.add(digest(client, group, bits))
    return count - len(seen)


def of_block(client: Callable[[int], Endpoint], bits_that_vary: int, group: int, bits: int) -> int:
    """How many of 2^bits_that_vary connections collide where `client` sets single bits of its address and port.

    A CRC is linear: the digests of such a block are those of its first connection XOR all combinations of as many
    columns. If these have the rank r over GF(2), each of 2^r digests occurs equally often: it is no matter of chance.
    """
    first = digest(client(0), group, bits)
    columns = [digest(client(1 << bit), group, bits) ^ first for bit in range(bits_that_vary)]
    return (1 << bits_that_vary) - (1 << _rank(columns))


def twins(count: int, group: int, bits: int) -> list[tuple[int, int]]:
    """Up to `count` changes of a client's address and port (to XOR them with) that leave its digest as it is.

    They are combinations of the kernel's basis: 48 bits go into 32, so whoever chooses both can make collisions at
    will, and whoever chooses ports alone has 16 bits of the kernel's 2^16 elements to hope for.
    """
    zero = digest(_client(0), group, bits)
    pivots: dict[int, tuple[int, int]] = {}
    kernel: list[int] = []
    for bit in range(48):
        column, origin = digest(_client(1 << bit), group, bits) ^ zero, 1 << bit
        while column and (lead := column.bit_length()) in pivots:
            column, origin = column ^ pivots[lead][0], origin ^ pivots[lead][1]
        if column:
            pivots[column.bit_length()] = column, origin
        else:
            kernel.append(origin)
    found = []
    for number in range(1, min(count, (1 << len(kernel)) - 1) + 1):
        change = 0
        for index, element in enumerate(kernel):
            change ^= element if number >> index & 1 else 0
        found.append((change >> 16, change & 0xFFFF))
    return found


def _client(value: int) -> Endpoint:
    return Endpoint((value >> 16).to_bytes(4, "big"), value & 0xFFFF)


def _rank(columns: Iterable[int]) -> int:
    """The rank of a matrix over GF(2)."""
    basis: dict[int, int] = {}
    for column in columns:
        rest = column
        while rest and (lead := rest.bit_length()) in basis:
            rest ^= basis[lead]
        if rest:
            basis[rest.bit_length()] = rest
    return len(basis)
