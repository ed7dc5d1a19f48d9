"""Clients and servers that exist on paper: the packets by which each of their connections gets its splice.

What they are told apart by is the client's address, which is in `population.CLIENTS` in both of a connection's halves,
as the source is transparent.
"""

from __future__ import annotations

from collections.abc import Iterable

from bench.million.population import VIP, scattered
from fastpath import frame
from fastpath.frame import PACKET_OFFSET, Action, Punt
from fastpath.records import Flow, Reason, SynCookies
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import MalformedPacket, Segment

_REQUEST = b"GET /100 HTTP/1.1\r\nHost: million.example.com\r\n\r\n"
_MSS, _SCALE = 1460, 7
_CLIENT_PORT, _SERVER_PORT = 0, 1
"""Ports of the fast path."""
_SOURCE, _DESTINATION = PACKET_OFFSET + 12, PACKET_OFFSET + 16
"""The first byte of IPv4's addresses in a frame."""
_IN_CLIENTS = 0b10
"""The two bits that all clients' addresses begin with."""
_ISN_STEP = 0x9E37_79B1


def requests(numbers: Iterable[int], cookies: SynCookies) -> list[Punt]:
    """The first data of these clients, as the fast path punts it once it has answered their SYNs with a cookie."""
    return [_punted(Reason.MISS, _CLIENT_PORT, _request(number, cookies)) for number in numbers]


def is_ours(injected: bytes) -> bool:
    """Whether an injected frame is from or for one of our clients, and so shall not leave."""
    return injected[_SOURCE] >> 6 == _IN_CLIENTS or injected[_DESTINATION] >> 6 == _IN_CLIENTS


def answer(injected: bytes) -> Punt | None:
    """The SYN-ACK of a server to a frame with the SYN for it; None for any other frame."""
    try:
        syn = tcp.parse(injected[PACKET_OFFSET:], checksum_known=True)
    except MalformedPacket:
        return None
    if syn.flags & (tcp.SYN | tcp.ACK | tcp.RST) != tcp.SYN:
        return None
    isn, acknowledged = syn.sequence * _ISN_STEP & 0xFFFF_FFFF, syn.sequence + 1 & 0xFFFF_FFFF
    options = Options(mss=_MSS, window_scale=14, sack_permitted=syn.options.sack_permitted)
    flags = tcp.SYN | tcp.ACK
    segment = Segment(syn.destination, syn.source, isn, acknowledged, flags, 65160, options)
    return _punted(Reason.MISS, _SERVER_PORT, segment)


def _request(number: int, cookies: SynCookies) -> Segment:
    client, isn = scattered(number), number * _ISN_STEP & 0xFFFF_FFFF
    agreed = Agreed(mss=_MSS, window_scale=_SCALE, sack=True)
    ours = cookie.make(cookies, Flow(client, VIP), isn, agreed)
    sequence, acknowledgment = isn + 1 & 0xFFFF_FFFF, ours + 1 & 0xFFFF_FFFF
    return Segment(client, VIP, sequence, acknowledgment, tcp.ACK | tcp.PSH, 502, Options(), _REQUEST)


def _punted(reason: Reason, port: int, segment: Segment) -> Punt:
    injected = frame.encode(tcp.build(segment), Action.EMIT, port=port)
    # A punt has its reason in the place of an injected frame's action; the driver is given both.
    return Punt(reason, port, injected)
