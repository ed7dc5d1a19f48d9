"""Access lists: which clients a listener serves, by the prefixes of their addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_MAPPED = bytes(10) + b"\xff\xff"
_BITS = 128
_IPV4_BITS = 32


class Prefix(NamedTuple):
    """A network: its packed address, of 4 or 16 bytes, and its length in bits. Host bits are 0."""

    network: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Access:
    """The longest prefix that holds a client's address decides; one that is in both lists denies.

    An address that no prefix holds is denied if `allow` names any, else served. Raises ValueError for what is
    no prefix.
    """

    allow: tuple[Prefix, ...] = ()
    deny: tuple[Prefix, ...] = ()
    rules: Mapping[Prefix, bool] = field(init=False, repr=False, compare=False)
    """The same as one list that holds every address: whether a prefix is served; IPv4 is v4-mapped (RFC 4291)."""
    _by_shift: tuple[tuple[int, Mapping[int, bool]], ...] = field(init=False, repr=False, compare=False)
    """The rules by the bits that their prefixes leave out, fewest first, and by what is left of an address."""

    def __post_init__(self) -> None:
        # Each family has its own rule for the rest, or ::/0 would hold IPv4 addresses, too.
        rules = {_mapped(Prefix(bytes(length), 0)): not self.allow for length in (4, 16)}
        rules |= {_mapped(prefix): True for prefix in self.allow}
        rules |= {_mapped(prefix): False for prefix in self.deny}
        by_shift: dict[int, dict[int, bool]] = {}
        for (network, length), served in rules.items():
            shift = _BITS - length
            by_shift.setdefault(shift, {})[int.from_bytes(network, "big") >> shift] = served
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "_by_shift", tuple(sorted(by_shift.items(), key=lambda item: item[0])))

    def permits(self, address: bytes) -> bool:
        """Whether a client at `address`, packed, is served."""
        number = int.from_bytes(address if len(address) * 8 == _BITS else _MAPPED + address, "big")
        for shift, rules in self._by_shift:
            served = rules.get(number >> shift)
            if served is not None:
                return served
        raise AssertionError("the rules hold every address")


def _mapped(prefix: Prefix) -> Prefix:
    """The same prefix in the space of IPv6; raises ValueError."""
    network, length = prefix
    bits = len(network) * 8
    host_bits = bits - length
    if bits not in (_IPV4_BITS, _BITS) or not 0 <= length <= bits or int.from_bytes(network, "big") % (1 << host_bits):
        raise ValueError(f"{network.hex()}/{length} is no prefix of IPv4 or IPv6")
    return prefix if bits == _BITS else Prefix(_MAPPED + network, _BITS - host_bits)
