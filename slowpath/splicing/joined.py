"""JOINING to LINGERING: packets of a joined connection that still come through the slow path."""

from __future__ import annotations

from fastpath import frame, rewrite
from fastpath.closing import Closing
from fastpath.frame import Action, InjectFlags, Punt
from fastpath.packet import Packet
from fastpath.records import Direction, Reason
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.session import Session
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.checksum import fold, pseudo_header_sum
from slowpath.wire.options import Options
from slowpath.wire.tcp import MalformedPacket, Segment


def installed(context: Context, session: Session) -> None:
    """The fast path has the splice: give it what was cached, so that one piece of code does every rewrite."""
    session.move(Event.INSTALLED)
    for punt in session.take_cached():
        context.outcome.frames.append(punt.reinjected(Action.TRANSLATE))


def refused(context: Context, session: Session, now: float) -> None:
    """The fast path has no room: forward here."""
    session.move(Event.REFUSED)
    session.closing = Closing()
    for punt in session.take_cached():
        forward(context, session, punt, now)


def receive_from_client(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet after the join."""
    if session.phase is Phase.JOINING and not segment.flags & tcp.SYN:
        session.cache(punt, segment)
    else:
        _receive(context, session, punt, segment, now)


def receive_from_server(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a server packet after the join."""
    if segment.flags & tcp.SYN:
        _confirm_handshake(context, session)
    elif session.phase is Phase.JOINING:
        session.cached_replies.append(punt)
    else:
        _receive(context, session, punt, segment, now)


def closed(context: Context, session: Session, now: float) -> None:
    """Both ends are done: keep the record for what is still on its way, then remove it."""
    if session.phase is not Phase.LINGERING:
        session.move(Event.CLOSED)
    context.release_member(session)
    session.deadline = now + session.service.timeouts.linger
    context.schedule(session)


def forward(context: Context, session: Session, punt: Punt, now: float) -> None:
    """Do what the fast path would do with a packet: the reference rewrite, then the next hop."""
    assert session.splice is not None
    arrived = Packet.locate(punt.packet)
    assert arrived is not None
    to_server, to_client = session.splice.translations()
    translation = to_server if arrived.tuple4 == to_server.match else to_client
    try:
        packet = rewrite.translate(arrived.data, translation)
    except MalformedPacket:
        context.statistics.drops["malformed"] += 1
        return
    if punt.checksum_pending:
        packet = _pending_checksum(packet)
    flags = InjectFlags.EXPECT_REPLY if translation.direction is Direction.TO_SERVER else InjectFlags.NONE
    context.outcome.frames.append(frame.replaced(punt, packet, Action.ROUTE, flags))
    left = Packet.locate(packet)
    if (
        session.closing is not None
        and left is not None
        and session.closing.observe(translation.direction, arrived, left)
    ):
        closed(context, session, now)


def _receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    if session.closing is not None or punt.reason is Reason.OPTIONS or segment.flags & tcp.SYN:
        # Also a SYN within a live connection: the server challenges it (RFC 5961 section 4), as only it can.
        forward(context, session, punt, now)
    else:
        # Punted before the install took effect.
        context.outcome.frames.append(punt.reinjected(Action.TRANSLATE))


def _confirm_handshake(context: Context, session: Session) -> None:
    """The server repeats its SYN-ACK: what we injected was lost. Repeat its ACK; the client repeats its data."""
    server = session.server
    assert server is not None
    options = Options()
    if server.parameters.timestamps and server.fixed_tsval is not None:
        options = Options(timestamps=(server.fixed_tsval, server.ts_recent))
    sequence, ack = seq.add(server.parameters.iss, 1), seq.add(server.parameters.irs, 1)
    context.send([Segment(server.local, server.remote, sequence, ack, tcp.ACK, session.first.window, options)])


def _pending_checksum(packet: bytes) -> bytes:
    """The packet with the sum of its new pseudo-header, for the offload that has yet to complete the checksum."""
    start = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4], "big")
    pseudo = fold(pseudo_header_sum(packet[12:16], packet[16:20], tcp.PROTOCOL, total - start))
    field = start + tcp.CHECKSUM_OFFSET
    return packet[:field] + pseudo.to_bytes(2, "big") + packet[field + 2 :]
