"""JOINING to LINGERING: packets of a joined connection that still come through the slow path."""

from __future__ import annotations

from dataclasses import replace

from fastpath import frame, rewrite
from fastpath.closing import Closing
from fastpath.frame import Action, InjectFlags, Punt
from fastpath.packet import Packet
from fastpath.records import Direction, Reason
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Event, Phase
from slowpath.wire import tcp
from slowpath.wire.checksum import fold, pseudo_header_sum
from slowpath.wire.tcp import MalformedPacket, Segment


def installed(context: Context, junction: Junction) -> None:
    """The fast path has the splice: give it what was cached, so that one piece of code does every rewrite."""
    junction.move(Event.INSTALLED)
    context.splices += 1
    context.outcome.frames += [punt.reinjected(Action.TRANSLATE) for punt in junction.cached]
    junction.cached = []


def refused(context: Context, junction: Junction, now: float) -> None:
    """The fast path has no room: forward here."""
    junction.move(Event.REFUSED)
    junction.closing = Closing()
    cached, junction.cached = junction.cached, []
    for punt in cached:
        _forward(context, junction, punt, now)


def receive(context: Context, junction: Junction, punt: Punt, segment: Segment, now: float) -> None:
    """Process a packet of either side."""
    syn = segment.flags & tcp.SYN
    if syn and segment.source == junction.splice.server:
        # The server repeats its SYN-ACK: what we injected was lost. Its ACK is ours to repeat, the data the client's.
        context.send([junction.confirmation])
    elif junction.phase is Phase.JOINING and not syn:
        junction.cached.append(punt)
    elif syn or junction.closing is not None or punt.reason is Reason.OPTIONS:
        # A SYN within a live connection goes on as well: the server challenges it (RFC 5961 section 4), as only it can.
        _forward(context, junction, punt, now)
    else:
        # Punted before the install took effect.
        context.outcome.frames.append(punt.reinjected(Action.TRANSLATE))


def closed(context: Context, junction: Junction, now: float) -> None:
    """Both ends are done: keep the record for what is still on its way, then remove it."""
    if junction.phase is not Phase.LINGERING:
        junction.move(Event.CLOSED)
    context.release_member(junction)
    junction.deadline = now + junction.service.timeouts.linger
    context.schedule(junction)


def _forward(context: Context, junction: Junction, punt: Punt, now: float) -> None:
    """Do what the fast path would do with a packet: the reference rewrite, then the next hop."""
    arrived = Packet.locate(punt.packet)
    if arrived is None:
        return
    to_server, to_client = junction.splice.translations()
    translation = to_server if arrived.tuple4 == to_server.match else to_client
    try:
        data = rewrite.translate(arrived.data, translation)
    except MalformedPacket:
        context.statistics.drops["malformed"] += 1
        return
    if punt.checksum_pending:
        data = _pending_checksum(data)
    flags = InjectFlags.EXPECT_REPLY if translation.direction is Direction.TO_SERVER else InjectFlags.NONE
    context.outcome.frames.append(frame.replaced(punt, data, Action.ROUTE, flags))
    if junction.phase is Phase.RELAYED and junction.closing is not None:
        # What a fast path does for its splices: notice the end, or silence.
        if junction.closing.observe(translation.direction, arrived, replace(arrived, data=data)):
            closed(context, junction, now)
        else:
            junction.deadline = now + junction.service.timeouts.idle
            context.schedule(junction)


def _pending_checksum(packet: bytes) -> bytes:
    """The packet with the sum of its new pseudo-header, for the offload that has yet to complete the checksum."""
    start = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4], "big")
    pseudo = fold(pseudo_header_sum(packet[12:16], packet[16:20], tcp.PROTOCOL, total - start))
    field = start + tcp.CHECKSUM_OFFSET
    return packet[:field] + pseudo.to_bytes(2, "big") + packet[field + 2 :]
