"""SYN cookies: the initial sequence numbers of SYN-ACKs that need no state until the client's first data.

A cookie is 32 bits, most significant first:

    31      epoch & 1, which of the two keys made it
    30-28   index into MSS_TABLE: the largest entry not above the client's MSS
    27-24   the client's window scale; 15 where none was agreed
    23      SACK agreed        22  timestamps agreed        21  ECN agreed
    20-10   tuple tag: proves that we chose it for these addresses and ports
    9-0     ISN tag: proves the client's initial sequence number, too

Two tags rather than one, because they answer different questions: without the first, the packet
belongs to no handshake of ours and earns a RST; with only the first, it is a later segment that
overtook the one that starts the stream, and is best ignored until that one is sent again.

A tag is the low bits of SipHash-2-4 over M, the ISN tag over M and the client's ISN, where M is
client address, VIP address, client port, VIP port, bits 31-21 of the cookie right-aligned in 16
bits, and two zero bytes, all in network byte order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from siphash24 import siphash24

from fastpath.records import Flow, Offer, SynCookies
from slowpath.wire import four_tuple, tcp
from slowpath.wire.options import Options

MSS_TABLE = (536, 1220, 1300, 1360, 1400, 1440, 1460, 8940)
"""The client MSS values a cookie can carry, bytes."""

DEFAULT_MSS = 536
"""The MSS of a peer that names none (RFC 9293 section 3.7.1)."""

_NO_SCALE: Final = 15
_SACK: Final = 0x004
_TIMESTAMPS: Final = 0x002
_ECN: Final = 0x001
_OPTIONS: Final = 0x3FF
_TUPLE_BITS: Final = 11
_ISN_BITS: Final = 10
_TUPLE_MASK: Final = (1 << _TUPLE_BITS) - 1
_ISN_MASK: Final = (1 << _ISN_BITS) - 1


@dataclass(frozen=True, slots=True)
class Agreed:
    """The options that a handshake with a client agreed on.

    `mss` and `window_scale` are the client's (None: neither side scales); the flags hold for both.
    """

    mss: int = DEFAULT_MSS
    window_scale: int | None = None
    sack: bool = False
    timestamps: bool = False
    ecn: bool = False

    def __hash__(self) -> int:
        # Every connection looks its terms up by this, and what dataclass makes is never compiled.
        return hash((self.mss, self.window_scale, self.sack, self.timestamps, self.ecn))


class Check(Enum):
    """What a cookie that came back proves."""

    VALID = "valid"
    OUT_OF_ORDER = "out of order"
    """Made by us for this flow, but the segment does not start the stream."""
    FOREIGN = "foreign"


def agree(options: Options, flags: int, offer: Offer) -> Agreed:
    """What a SYN with `options` and `flags` and our `offer` have in common."""
    asked_mss = options.mss or DEFAULT_MSS
    scaled = options.window_scale is not None and offer.window_scale is not None
    return Agreed(
        mss=next((mss for mss in reversed(MSS_TABLE) if mss <= asked_mss), DEFAULT_MSS),
        window_scale=options.window_scale if scaled else None,
        sack=options.sack_permitted and offer.sack,
        timestamps=options.timestamps is not None and offer.timestamps,
        ecn=offer.ecn and flags & (tcp.ECE | tcp.CWR) == tcp.ECE | tcp.CWR,
    )


def make(cookies: SynCookies, flow: Flow, client_isn: int, agreed: Agreed) -> int:
    """The cookie for a SYN of `flow`."""
    scale = _NO_SCALE if agreed.window_scale is None else agreed.window_scale
    lead = (cookies.epoch & 1) << 10 | MSS_TABLE.index(agreed.mss) << 7 | scale << 3
    lead |= _SACK * agreed.sack | _TIMESTAMPS * agreed.timestamps | _ECN * agreed.ecn
    tuple_tag, isn_tag = _tags(cookies, flow, client_isn, lead)
    return lead << 21 | tuple_tag << _ISN_BITS | isn_tag


def check(cookies: SynCookies, flow: Flow, client_isn: int, cookie: int) -> tuple[Check, Agreed]:
    """Judge a `cookie` that a packet of `flow` acknowledged; the options are meaningless when FOREIGN.

    `client_isn` is the packet's SEQ minus one.
    """
    lead = cookie >> 21
    tuple_tag, isn_tag = _tags(cookies, flow, client_isn, lead)
    terms = agreed(lead)
    if cookie >> _ISN_BITS & _TUPLE_MASK != tuple_tag:
        return Check.FOREIGN, terms
    return Check.VALID if cookie & _ISN_MASK == isn_tag else Check.OUT_OF_ORDER, terms


def agreed(lead: int) -> Agreed:
    """What the upper eleven bits of a cookie say, as one object for all the connections that agreed on the same."""
    return _agreed(lead & _OPTIONS)


@lru_cache(_OPTIONS + 1)
def _agreed(lead: int) -> Agreed:
    scale = lead >> 3 & 15
    return Agreed(
        mss=MSS_TABLE[lead >> 7],
        window_scale=None if scale == _NO_SCALE else scale,
        sack=bool(lead & _SACK),
        timestamps=bool(lead & _TIMESTAMPS),
        ecn=bool(lead & _ECN),
    )


def _tags(cookies: SynCookies, flow: Flow, client_isn: int, lead: int) -> tuple[int, int]:
    message = four_tuple.pack(flow[0], flow[1]) + (lead << 16).to_bytes(4, "big")
    # The second message is the first one and the ISN.
    hashing = siphash24(message, key=cookies.keys[lead >> 10])
    tuple_hash: bytes = hashing.digest()
    hashing.update(client_isn.to_bytes(4, "big"))
    isn_hash: bytes = hashing.digest()
    return _low_bits(tuple_hash) & _TUPLE_MASK, _low_bits(isn_hash) & _ISN_MASK


def _low_bits(digest: bytes) -> int:
    """The lowest 16 bits of a SipHash, whose bytes are in little-endian order."""
    return digest[0] | digest[1] << 8
