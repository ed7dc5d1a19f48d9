"""What the path says of packets: ICMP errors of routers and hosts, and packets too long for our own next hop.

So that the sender learns of it, as it must for path MTU discovery (RFC 1191, RFC 8201): of a splice that is whoever
sent the packet to us, of a connection in the slow path it is ourselves.
"""

from __future__ import annotations

from dataclasses import replace

from fastpath import frame
from fastpath.frame import Action, Punt
from fastpath.packet import Packet
from fastpath.records import Tuple4
from slowpath.splicing import quoting, relaying
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.session import Session
from slowpath.wire import four_tuple, icmp, tcp
from slowpath.wire.icmp import Error, Quoted
from slowpath.wire.ip import IPV6, family_of

_LEAST_MTU6 = 1280
"""Below that nobody with IPv6 makes packets shorter (RFC 8200 section 5)."""
_TCP_LENGTH = 20
_DONT_FRAGMENT = 0x40


def receive(context: Context, punt: Punt, now: float) -> None:
    """Process a punted packet that is ICMP of either version."""
    error = icmp.parse(punt.packet, checksum_known=punt.checksum_known)
    if error is None:
        context.statistics.drops["icmp"] += 1
    else:
        _tell(context, error, now)


def too_long(context: Context, punt: Punt, now: float) -> None:
    """Process a packet that is longer than the next hop takes: `punt.mtu` bytes.

    One that was to be translated is told of to its sender. Who does not let itself be told (no DF, or an MTU below
    IPv6's least) gets its segment forwarded in pieces. One of ours is told of as any router would.
    """
    packet = Packet.locate(punt.packet)
    if packet is None or packet.malformed:
        context.statistics.drops["malformed"] += 1
        return
    match = packet.tuple4
    junction = context.find(four_tuple.pack(*match), now) or context.find_admitted(match, now)
    if not isinstance(junction, Junction):
        _tell(context, icmp.too_long(packet.source_address, packet.data, punt.mtu), now)
        return
    splice = junction.splice
    to_server, to_client = splice.translations()
    translation = to_server if packet.tuple4 == to_server.match else to_client
    leaves_as = family_of(translation.becomes.destination.address)
    mtu = punt.mtu + packet.family.length - leaves_as.length
    if not _heeds(packet, mtu):
        _cut(context, punt, mtu)
    elif _within_limits(context, junction, now):
        context.statistics.icmp_errors["too_long"] += 1
        _send(context, icmp.too_long(quoting.own_address(splice, translation.direction), packet.data, mtu))


def _about(context: Context, found: Quoted, now: float) -> Session | Junction | None:
    """The connection whose packet an error quotes."""
    answer = Tuple4(found.destination, found.source)
    return context.find(four_tuple.pack(*answer), now) or context.find_admitted(answer, now)


def _heeds(packet: Packet, mtu: int) -> bool:
    """Whether the sender of a packet makes shorter ones when it is told of `mtu`."""
    if packet.family is IPV6:
        return mtu >= _LEAST_MTU6
    return bool(packet.data[6] & _DONT_FRAGMENT)


def _cut(context: Context, punt: Punt, mtu: int) -> None:
    """Forward a packet as several, cut at TCP's layer, where no end can tell: nothing has to be put together again."""
    try:
        segment = tcp.parse(punt.packet, checksum_known=punt.checksum_known)
    except tcp.MalformedPacket:
        context.statistics.drops["malformed"] += 1
        return
    size = mtu - len(tcp.build(replace(segment, payload=b"")))
    if size <= 0:
        context.statistics.drops["malformed"] += 1
        return
    context.outcome.frames += [
        frame.encode(tcp.build(piece), Action.TRANSLATE, port=punt.port) for piece in relaying.pieces(segment, size)
    ]


def _tell(context: Context, error: Error, now: float) -> None:
    """Let the sender of the packet that an error is about know."""
    found = icmp.quoted(error)
    connection = _about(context, found, now) if found is not None else None
    if found is None or connection is None:
        context.statistics.drops["icmp"] += 1
    elif isinstance(connection, Session):
        _heed(context, connection, error, found, now)
    elif _within_limits(context, connection, now):
        translated = quoting.translated(error, found, connection.splice)
        if translated is None:
            context.statistics.drops["icmp"] += 1
        else:
            context.statistics.icmp_errors["translated"] += 1
            _send(context, translated)


def _heed(context: Context, session: Session, error: Error, found: Quoted, now: float) -> None:
    """A packet of our own: send shorter ones; all other errors are soft ones, which timeouts see to (RFC 5461)."""
    mine = session.client if found.destination == session.flow.client else session.server
    if error.mtu is None or mine is None:
        return
    context.statistics.icmp_errors["heeded"] += 1
    mine.shorten(found.sequence, error.mtu - error.family.length - _TCP_LENGTH, now)
    context.flush(session)
    context.schedule(session)


def _within_limits(context: Context, junction: Junction, now: float) -> bool:
    if context.icmp_limit.take(junction.flow.client.address, now) == 0:
        return True
    context.statistics.icmp_errors["withheld"] += 1
    return False


def _send(context: Context, error: Error) -> None:
    context.outcome.frames.append(frame.encode(icmp.build(error), Action.ROUTE))
