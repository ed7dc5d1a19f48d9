"""What a balancer can promise its clients: the options that all servers have (design section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from fastpath.records import Limits, Offer
from slowpath.tcp.cookie import DEFAULT_MSS
from slowpath.wire import tcp
from slowpath.wire.ip import IPV4, IPV6, Family
from slowpath.wire.tcp import Segment

FIRST_WINDOW = 2920
"""The largest window of a SYN-ACK, in bytes: two Ethernet-sized segments.

What a client sends before its splice passes through the slow path twice, so an upload starts with a
small window; the server's own window takes over with its first ACK.
"""

_NOTHING = Offer(mss=DEFAULT_MSS, window=FIRST_WINDOW)


def learned(syn_ack: Segment) -> Offer:
    """What a server's SYN-ACK shows that it can do, given that the SYN asked for everything."""
    options = syn_ack.options
    return Offer(
        mss=options.mss or DEFAULT_MSS,
        window=min(syn_ack.window, FIRST_WINDOW),
        window_scale=options.window_scale,
        sack=options.sack_permitted,
        timestamps=options.timestamps is not None,
        ecn=bool(syn_ack.flags & tcp.ECE),
    )


def toward(client: Family, server: Family, offer: Offer) -> Offer:
    """What a client may be offered of a server's `offer`: segments that fit the server's path when they were IPv6's."""
    if client is IPV4 or server is IPV6:
        return offer
    return replace(offer, mss=max(offer.mss - (IPV6.length - IPV4.length), DEFAULT_MSS))


def common(offers: Iterable[Offer], limits: Limits) -> Offer:
    """What every server behind a listener, and the fast path, can do; next to nothing as long as none is known."""
    offer = reduce(_both, offers, None)
    if offer is None:
        return _NOTHING
    return Offer(
        offer.mss, offer.window, offer.window_scale, offer.sack, offer.timestamps and limits.timestamps, offer.ecn
    )


def _both(known: Offer | None, other: Offer) -> Offer:
    if known is None:
        return other
    scales = (known.window_scale, other.window_scale)
    return Offer(
        mss=min(known.mss, other.mss),
        window=min(known.window, other.window),
        window_scale=None if None in scales else min(scale for scale in scales if scale is not None),
        sack=known.sack and other.sack,
        timestamps=known.timestamps and other.timestamps,
        ecn=known.ecn and other.ecn,
    )
